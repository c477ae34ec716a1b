#!/bin/sh
# SPDX-License-Identifier: MIT
# record.sh PAGE REGISTRY: PAGE with @KEYS@ replaced by the registry's rows below /config/domain/$NAME, as scdoc.
set -eu
keys()
{
	sed 's/[\\*_]/\\&/g' "$1" | awk '
		/^\/config\/domain\/\$NAME\// {
			match($0, / = /); key = substr($0, 1, RSTART - 1); rest = substr($0, RSTART + 3)
			sub(/^\/config\/domain\/\$NAME\//, "", key)
			match(rest, / \[[a-z]*\] /); type = substr(rest, 1, RSTART - 1); tags = substr(rest, RSTART, RLENGTH)
			words = match(rest, / : /) ? substr(rest, RSTART + 3) : ""
			print "*" key "*\n\t" type (tags ~ /o/ ? ", optional" : "") (words != "" ? ": " words : "") "\n" }'
}
while IFS= read -r line; do
	if [ "$line" = @KEYS@ ]; then keys "$2"; else printf '%s\n' "$line"; fi
done <"$1"
