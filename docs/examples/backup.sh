#!/bin/sh
# SPDX-License-Identifier: MIT
# backup.sh - /config as one exact document, permissions included; `xs import FILE` brings it back. The newest
# BACKUP_KEEP (10) are kept; a copy that says what the one before says is not.
dir=${BACKUP_DIR:-/var/lib/xen/backup}
keep=${BACKUP_KEEP:-10}
mkdir -p "$dir" && cd "$dir" || exit 1
xs export --exact /config >new && [ -s new ] || { rm -f new; exit 1; }
newest=$(ls -1 config-*.ndjson 2>/dev/null | tail -n 1)
if [ -n "$newest" ] && cmp -s new "$newest"; then
	rm new
	exit 0
fi
mv new "config-$(date -u +%Y%m%dT%H%M%S.%N).ndjson"
ls -1 config-*.ndjson | head -n -"$keep" | xargs -r rm --
