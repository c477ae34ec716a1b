#!/bin/sh
# tour.sh ROOT: every file and every file:function that docs/tour and docs/how-to-add.md name is in the tree, and docs/README.md names every page.
set -eu
cd "$1"
bad=0 nr=0
for ref in $(grep -oh '`[a-z][a-z0-9_/]*/[a-z0-9_]*\.[chS][a-z]*\(:[a-z_0-9]*\)\{0,1\}`' docs/tour/*.md docs/how-to-add.md | tr -d '`' | sort -u); do
	file=${ref%%:*}
	nr=$((nr + 1))
	if [ ! -f "$file" ]; then
		echo "docs/tour or docs/how-to-add.md names $file, which is not there"
		bad=$((bad + 1))
	elif [ "$ref" != "$file" ] && ! grep -qE "(^|[^a-z_0-9])${ref#*:}\(" "$file"; then
		echo "docs/tour or docs/how-to-add.md names $ref, and the file has no such function"
		bad=$((bad + 1))
	fi
done
for page in docs/*.md; do
	[ "$page" = docs/README.md ] || grep -q "(${page#docs/})" docs/README.md || {
		echo "docs/README.md does not name $page"
		bad=$((bad + 1))
	}
done
twice=$(ls docs/decisions | cut -c 1-4 | sort | uniq -d)
[ -z "$twice" ] || {
	echo "docs/decisions has two pages of the number" $twice
	bad=$((bad + 1))
}
[ "$nr" -ge 40 ] || { echo "only $nr references found in docs/tour"; exit 1; }
[ "$bad" = 0 ]
