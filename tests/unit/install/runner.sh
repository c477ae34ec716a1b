#!/bin/sh
# SPDX-License-Identifier: MIT
# runner.sh SOURCE - tests/run swallows no failure and skips no name: with boot tests of a made-up project. TAP output.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
mkdir -p "$work/image" "$work/tests/boot" "$work/tests/fuzz"
cp "$1/tests/run" "$work/tests/"
cp "$1/image/lib.sh" "$work/image/"
: >"$work/packages.txt"
printf '#!/bin/sh\n' >"$work/storevisor"
printf '#!/bin/sh\necho "ok - fuzz one"\nexit 7\n' >"$work/tests/fuzz/run"
chmod +x "$work/storevisor" "$work/tests/fuzz/run"
# boot NAME TEXT: a boot test of that name says so, and ends.
boot() { printf '%b\n' "$2" >"$work/tests/boot/$1.sh"; }
boot good 'echo "ok 1 - a"; echo 1..1'
boot bad 'echo "not ok 1 - a"; echo 1..1; exit 1'
boot halfway 'set -e; echo "ok 1 - a"; false; echo "ok 2 - b"; echo 1..2'
boot returns 'echo "ok 1 - a"; exit 0; echo "ok 2 - b"; echo 1..2'
boot fewer 'echo "ok 1 - a"; echo 1..2'
boot silent ':'
boot lib ':'

# claim TEXT STATUS WORDS NAME...: tests/run NAME... ends with STATUS and says WORDS, a pattern.
claim()
{
	text=$1 wanted=$2 words=$3
	shift 3
	n=$((n + 1))
	STOREVISOR_BUILD="$work/build" sh "$work/tests/run" "$@" >"$work/said" 2>&1
	status=$?
	if [ "$status" = "$wanted" ] && grep -qE -- "$words" "$work/said"; then echo "ok $n - $text"; else
		echo "not ok $n - $text"
		sed "s/^/# $status: /" "$work/said"
	fi
}

claim "what passes passes" 0 '^1 passed, 0 failed$' good
claim "beside it, what fails is told" 1 '^1 passed, 1 failed$' good bad
claim "a script that stops at a command that fails is a failure" 1 '^halfway: not ok - it ended with status 1' good halfway
claim "so is one that ends without its plan" 1 '^returns: not ok - it made as many' good returns
claim "and one with fewer claims than it has planned" 1 '^1 passed, 1 failed$' fewer
claim "and one that says nothing" 1 '^silent: not ok' good silent
claim "what fuzz does not tell its status does" 1 '^fuzz: not ok - it ended with status 7' fuzz
claim "on Debian's Xen is what is named so" 0 '^good@debian: ok 1' good@debian
for name in good@debain @debian good@debian@debian lib nothing ../boot/good; do
	claim "no name is taken for another: $name" 1 "no test called '$name'" "$name"
done
# What meson noted of two shell tests, of which one ended on its way with status 0.
for said in 'whole 1..1' 'half # 1..1'; do
	printf '{"name": "%s", "stdout": "ok 1 - a\\n%s\\n", "result": "OK", "command": ["a.sh"], "returncode": 0, "duration": 1}\n' \
		"${said%% *}" "${said#* }"
done >"$work/log.json"
n=$((n + 1))
if [ "$(python3 "$1/tests/suite_tap.py" unit "$work/log.json" | grep -v '^#' | cut -d '(' -f 1 | xargs)" = "ok - unit: whole not ok - unit: half" ]; then
	echo "ok $n - a unit test without a plan stopped on its way"
else
	echo "not ok $n - a unit test without a plan stopped on its way"
fi
echo "1..$n"
