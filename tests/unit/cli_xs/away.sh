#!/bin/sh
# SPDX-License-Identifier: MIT
# away.sh - `xs watch` while the daemon stays away for long: it waits, and does not spin. Its ping
# is due every 10 seconds; the second one, while the first has no answer, must not be waited for.
. "$(dirname "$0")/lib.sh"

# ticks PID: CPU time that it has used, in hundredths of a second.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

start_store
"$xs_prog" watch --initial none /garden >"$dir/seen" 2>/dev/null &
watch=$!
until_so sh -c "'$xs_prog' watches | grep -q ' /garden '"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
daemon=
sleep 21
before=$(ticks $watch)
sleep 3
used=$(($(ticks $watch) - before))
if [ $used -lt 30 ]; then pass "no daemon for long: it waits"; else fail "no daemon for long: it waits" "$used of 300 ticks"; fi
start_store
"$xs_prog" write /garden/basil green
comes_so grep -q basil "$dir/seen"
is "and goes on when there is one" 1 "$(grep -c basil "$dir/seen")"
kill $watch
wait $watch 2>/dev/null
plan
