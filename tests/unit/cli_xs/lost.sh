#!/bin/sh
# SPDX-License-Identifier: MIT
# lost.sh - xs watch loses nothing: the daemon is killed with SIGKILL again and again under a writer;
# the last state that the events tell, exact ones and those by the protocol's watches alone, is the
# state of the store.
. "$(dirname "$0")/lib.sh"
start_store
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; PATH="$dir/bin:$PATH"
cd "$dir" || exit 99
kills=100
sanitized && kills=15
[ -z "$STOREVISOR_LONG" ] || kills=1000

xs write /w/begin 1
xs watch --json /w >exact.events 2>exact.errors &
exact=$!
xs watch --json --plain /w >plain.events 2>plain.errors &
plain=$!
# A watch that no daemon has answered yet ends when none is there.
until_so grep -q '"type":"synced"' exact.events
until_so grep -q '"type":"synced"' plain.events

# The value of /w/n is what was written last, so a write that a kill hid may be told twice.
writer() {
	i=0
	while [ ! -e stop ]; do
		i=$((i + 1))
		xs write "/w/k$((i % 7))" "$i" /w/deep/n/x "$i" 2>/dev/null
		case $i in
		*3) xs rm -f "/w/k$((i % 5))" 2>/dev/null ;;
		*5) xs perms "/w/k$((i % 7))" n0 "r$((i % 9))" 2>/dev/null ;;
		*8) xs rm -f /w/deep 2>/dev/null ;;
		esac
	done
}
writer &
writing=$!
n=0
while [ $n -lt $kills ]; do
	n=$((n + 1))
	sleep 0.0$((n % 9 + 1))
	kill -9 "$daemon"; wait "$daemon" 2>/dev/null
	start_store
done
touch stop; wait $writing
xs write /w/end "$kills"

# The events made into a state again: what a reader of the stream would believe.
cat >replay.py <<'P'
import json, sys
state, types = {}, {}
for line in open(sys.argv[1]):
    e = json.loads(line)
    types[e["type"]] = types.get(e["type"], 0) + 1
    if e["type"] in ("put", "initial", "perms"):
        old = state.get(e["path"], ["", None])
        state[e["path"]] = e["value"]
    elif e["type"] == "del":
        state.pop(e["path"], None)
for path in sorted(state):
    print(path + "=" + state[path])
print(types, file=sys.stderr)
P
xs export --flat /w | sort >truth
for how in exact plain; do
	for _ in $(seq 1000); do
		python3 replay.py $how.events 2>types | sort >told
		grep -q "^/w/end=$kills$" told && cmp -s truth told && break
		sleep 0.1
	done
	echo "# $how: $(cat types)"
	is "after $kills kills the $how events tell the state of the store" "" "$(diff truth told)"
	lost=$(grep -c '"type":"lost"' $how.events)
	is "and each loss was told ($lost)" yes "$([ "$lost" -ge $((kills / 2)) ] && echo yes)"
	is "and nothing was complained about" "" "$(cat $how.errors)"
done
kill $exact $plain

# People are told, too: a silent screen would say that nothing happens.
xs watch /w/end >text.out 2>text.errors &
text=$!
until_so grep -q /w/end text.out
kill -9 "$daemon"; wait "$daemon" 2>/dev/null
until_so grep -q 'the store was lost' text.errors
start_store
until_so grep -q 'the store is back' text.errors
is "a watch in text says that the store was lost, and is back" "xs: the store was lost: no connection
xs: the store is back; what changed meanwhile is told" "$(cat text.errors)"
kill $text
plan
