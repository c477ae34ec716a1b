#!/bin/sh
# SPDX-License-Identifier: MIT
# tools.sh DAEMON - Debian's xenstore-* tools (package xenstore-utils) and its test-xenstore against our daemon. 77: not installed.
set -u
daemon=$1
command -v xenstore-write >/dev/null || exit 77
dir=$(mktemp -d /dev/shm/xs-tools-XXXXXX) || exit 1
failed=0
"$daemon" -N -D --run-dir "$dir/run" --state-dir "$dir/state" 2>"$dir/log" &
pid=$!
trap 'kill $pid; wait $pid 2>/dev/null; rm -rf "$dir"' EXIT
export XENSTORED_PATH="$dir/run/socket"
for _ in $(seq 2400); do xenstore-exists / 2>/dev/null && break; sleep 0.1; done

# is WHAT EXPECTED COMMAND...: the command's output
is()
{
	what=$1 expected=$2
	shift 2
	got=$("$@" 2>&1)
	[ "$got" = "$expected" ] && return
	printf 'failed: %s\n expected: %s\n got: %s\n' "$what" "$expected" "$got"
	failed=1
}

is 'write says nothing' '' xenstore-write /a/b/c value /a/b/d other
is 'read' value xenstore-read /a/b/c
is 'list' 'c
d' xenstore-list /a/b
is 'ls -f' '/a = ""
/a/b = ""
/a/b/c = "value"
/a/b/d = "other"' sh -c 'xenstore-ls -f | grep ^/a'
is 'chmod' '' xenstore-chmod /a/b n0 r7
is 'ls -p' '/a/b = ""   (n0,r7)' sh -c 'xenstore-ls -fp | grep "^/a/b ="'
is 'exists' 0 sh -c 'xenstore-exists /a/b; echo $?'
is 'exists not' 1 sh -c 'xenstore-exists /a/x; echo $?'
is 'rm' '' xenstore-rm /a/b/c
is 'rm -t takes empty parents' 1 sh -c 'xenstore-rm -t /a/b/d; xenstore-exists /a/b; echo $?'
is 'read of a missing node' "xenstore-read: couldn't read path /none" xenstore-read /none
is 'watch' '/w
/w/x' sh -c 'xenstore-watch -n 2 /w >"$1" & until [ -s "$1" ]; do sleep 0.05; done
	xenstore-write /w/x 1; wait; cat "$1"' sh "$dir/events"
xenstore-write $(seq -f '/large/%g x' 1 900)
is 'more children than a message holds' 900 sh -c 'xenstore-list /large | wc -l'

test=/usr/lib/xen-4.17/bin/test-xenstore
if [ -x $test ]; then
	$test -i 5 >"$dir/out" 2>&1 && ! grep -qi fail "$dir/out" || { cat "$dir/out"; failed=1; }
	$test -r 2 >"$dir/out" 2>&1 || { cat "$dir/out"; failed=1; }
fi
exit $failed
