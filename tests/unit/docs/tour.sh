#!/bin/sh
# tour.sh ROOT: every file and every file:function that docs/tour names is in the tree.
set -eu
cd "$1"
bad=0 nr=0
for ref in $(grep -oh '`[a-z][a-z0-9_/]*/[a-z0-9_]*\.[chS][a-z]*\(:[a-z_0-9]*\)\{0,1\}`' docs/tour/*.md | tr -d '`' | sort -u); do
	file=${ref%%:*}
	nr=$((nr + 1))
	if [ ! -f "$file" ]; then
		echo "docs/tour names $file, which is not there"
		bad=$((bad + 1))
	elif [ "$ref" != "$file" ] && ! grep -qE "(^|[^a-z_0-9])${ref#*:}\(" "$file"; then
		echo "docs/tour names $ref, and the file has no such function"
		bad=$((bad + 1))
	fi
done
[ "$nr" -ge 40 ] || { echo "only $nr references found in docs/tour"; exit 1; }
[ "$bad" = 0 ]
