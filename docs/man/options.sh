#!/bin/sh
# SPDX-License-Identifier: MIT
# options.sh PAGE COMMAND...: PAGE with @OPTIONS@ replaced by the lines of options that COMMAND prints, as scdoc.
set -eu
page=$1
shift
options()
{
	{ "$@" 2>&1 || :; } | sed 's/[\\*_]/\\&/g' | awk '
		/^  +-/ { match($0, /^ +(-[^ ]+ ?)?(--[^ ]+)?( [A-Z][^ ]*)?/)
			left = substr($0, 1, RLENGTH); right = substr($0, RLENGTH + 1)
			gsub(/^ +| +$/, "", left); sub(/^ +/, "", right); print "*" left "*\n\t" right "\n" }'
}
while IFS= read -r line; do
	if [ "$line" = @OPTIONS@ ]; then options "$@"; else printf '%s\n' "$line"; fi
done <"$page"
