#!/bin/sh
# SPDX-License-Identifier: MIT
# libxenstore.sh - our libxenstore.so.4 stands in for Debian's: the same symbols and versions, and
# Debian's own programs run on it, also across a kill -9 of the daemon.
. "$(dirname "$0")/../cli_xs/lib.sh"
theirs=/usr/lib/x86_64-linux-gnu/libxenstore.so.4
ours=$lib_dir/libxenstore.so.4
tests=/usr/lib/xen-4.17/bin/test-xenstore

symbols() { objdump -T "$1" | awk '$4 == ".text" && $6 ~ /^VERS_4/ { print $6, $7 }' | sort; }

if [ -e $theirs ]; then
	is "VERS_4.0 has exactly Debian's symbols" "$(symbols $theirs)" \
		"$(symbols "$ours" | grep VERS_4.0)"
fi
is "VERS_4.1 and VERS_4.2 are complete" "3 7" \
	"$(symbols "$ours" | grep -c VERS_4.1) $(symbols "$ours" | grep -c VERS_4.2)"
is "the soname is libxenstore.so.4" 1 "$(objdump -p "$ours" | grep -c 'SONAME *libxenstore.so.4$')"
if [ ! -x /usr/bin/xenstore-ls ] || sanitized; then
	echo "# Debian's programs are absent, or this build is sanitized: not run on the library"
	plan
fi

start_store
export LD_LIBRARY_PATH="$lib_dir"
run ldd /usr/bin/xenstore-ls
case $out in
*"$ours"*) pass "Debian's xenstore-ls loads our library" ;;
*) fail "Debian's xenstore-ls loads our library" "$out" ;;
esac
run xenstore-write /lib/a 1 /lib/b 2
is "xenstore-write writes" 0 $rc
run xenstore-ls -p /lib
is "xenstore-ls -p lists" 2 "$(printf '%s\n' "$out" | grep -c '(n0)')"
run xenstore-read /lib/a /lib/b
is "xenstore-read reads two values" "1
2" "$out"
xenstore-chmod /lib/a n0 r0
run xenstore-ls -p /lib
is "xenstore-chmod sets permissions" 1 "$(printf '%s\n' "$out" | grep -c '(n0,r0)')"
run xenstore-list /lib
is "xenstore-list lists names" "a
b" "$out"
run xenstore-rm /lib/b
run xenstore-exists /lib/b
is "xenstore-exists knows what xenstore-rm removed" 1 $rc
run xenstore-read /lib/b
is "xenstore-read of nothing fails" 1 $rc
for i in $(seq 400); do echo "/lib/many/a-child-with-a-name-$i v"; done | xargs -n 40 xenstore-write
run xenstore-list /lib/many
is "a directory larger than one message is listed whole" 400 "$(printf '%s\n' "$out" | wc -l)"
timeout 120 xenstore-watch -n 3 /lib/w >"$dir/events" &
watch=$!
until_so test -s "$dir/events"
xenstore-write /lib/w/x 1
xenstore-rm /lib/w
wait $watch
is "xenstore-watch sees a write and a removal" "/lib/w /lib/w/x /lib/w" "$(xargs <"$dir/events")"
if [ -x $tests ]; then
	run timeout 300 $tests -i 50
	is "Debian's test-xenstore passes" 0 "$rc$(printf '%s' "$out" | grep -c failed | grep -v '^0')"
fi

if [ -n "$daemon" ]; then
	# its own, not what the one before was told
	rm -f "$dir/events"
	timeout 120 xenstore-watch -n 3 /lib/k >"$dir/events" &
	watch=$!
	until_so test -s "$dir/events"
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	start_store
	until_so sh -c '[ "$(wc -l <"$1")" = 2 ]' sh "$dir/events"
	xenstore-write /lib/k/after 1
	wait $watch
	is "a watch survives kill -9 of the daemon: fires once again, then goes on" \
		"/lib/k /lib/k /lib/k/after" "$(xargs <"$dir/events")"
	run xenstore-read /lib/a
	is "what was written before the kill is there" 1 "$out"
fi
plan
