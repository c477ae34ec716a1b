#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh MODEL VARIANT... - every state of the model keeps its claims, and each broken variant is refused.
# VARIANT: flags of the preprocessor, without -D, joined by commas; "ok:" before those that must hold too.
set -u
model=$1 name=$(basename "$1" .pml)
shift
command -v spin >/dev/null || { echo "spin is not installed (packages.txt, group test)"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# Says "holds N states", or "refused".
search() {
	flags=
	for d in $(echo "$1" | tr , ' '); do flags="$flags -D$d"; done
	# shellcheck disable=SC2086
	spin $flags -a "$model" >spin.log 2>&1 || { cat spin.log; echo "spin: error"; return; }
	cc -O1 -w -DSAFETY -DCOLLAPSE -DNOBOUNDCHECK -o pan pan.c || { echo "cc: error"; return; }
	./pan -m1000000 >pan.log 2>&1
	grep -q 'errors: 0' pan.log && ! grep -q 'search was not completed\|max search depth too small' pan.log &&
		{ echo "holds in $(awk '/states, stored/ { print $1; exit }' pan.log) states"; return; }
	grep -q 'assertion violated\|invalid end state' pan.log && { echo refused; return; }
	cat pan.log
	echo "pan: error"
}

failed=0
for variant in ok: "$@"; do
	case $variant in
	ok:*) wanted=holds variant=${variant#ok:} ;;
	*) wanted=refused ;;
	esac
	result=$(search "$variant")
	echo "$name ${variant:-as it is}: $result"
	case $result in $wanted*) ;; *) failed=1; echo "  expected: $wanted" ;; esac
done
exit $failed
