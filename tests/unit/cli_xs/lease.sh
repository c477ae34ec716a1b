#!/bin/sh
# SPDX-License-Identifier: MIT
# lease.sh - keys that go with a client or with time; xs elect, xs lock --lease: one at a time, whoever
# is killed: the holder, the daemon, both.
. "$(dirname "$0")/lib.sh"
start_store
xs() { "$xs_prog" "$@"; }
leader() { xs read /t/leader 2>/dev/null | cut -d ' ' -f 1; }
leads() { [ "$(leader)" = "$1" ]; }
gone() { ! xs exists "$1"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
# candidate NAME [OPTION]...: its pid in $pid; its command writes its own pid to $dir/NAME.cmd, later than it leads
candidate()
{
	name=$1
	shift
	rm -f "$dir/$name.cmd"
	"$xs_prog" elect --name "$name" "$@" /t/leader -- \
		sh -c "echo \$\$ >$dir/$name.cmd; trap 'echo ended >>$dir/$name.log; exit 5' TERM; while :; do sleep 0.05; done" 2>"$dir/$name.err" &
	pid=$!
}
kill_daemon() { kill -9 "$daemon"; wait "$daemon" 2>/dev/null; }
value_of() { xs read /t/leader; }
lines() { cat "$1" 2>/dev/null | wc -l; }

# ---- one at a time ----
candidate one; one=$pid
until_so leads one
candidate two; two=$pid
until_so sh -c "'$xs_prog' control bonds | grep -q ' two '"
is "the first one leads" one "$(leader)"
is "the second waits" no "$([ -e "$dir/two.cmd" ] && echo yes || echo no)"
value=$(value_of)
kill_daemon; start_store
is "a daemon that is killed and started again changes no leader" "$value" "$(value_of)"
for _ in 1 2 3; do kill_daemon; start_store; xs write /t/x "$(date)"; done
is "nor one that is killed three times" "$value" "$(value_of)"
is "and its command runs on" 0 "$(lines "$dir/one.log")"
until_so sh -c "'$xs_prog' control bonds | grep -q '^connection .* one '"
pass "its client has found the daemon again"
command_pid=$(cat "$dir/one.cmd")
kill -9 $one; wait $one 2>/dev/null
until_so leads two
pass "a leader that is killed is none any more"
until_so ended "$command_pid"
is "its command has ended" 1 "$(lines "$dir/one.log")"
kill $two; wait $two 2>/dev/null
until_so gone /t/leader
pass "one that is told to end leaves nothing"
is "no bond is left" "" "$(xs control bonds)"
run xs elect /t/leader -- sh -c 'echo "$XS_HELD"; exit 7'
is "the command's status is ours" 7 "$rc"
is "it knows what the node says" "$(hostname):" "$(echo "$out" | sed 's/[0-9]* [0-9a-f]*$//')"

# ---- a time to live ----
xs write --ttl 30s /t/ttl a; is "a key with a time is there" a "$(xs read /t/ttl)"
xs write --ttl 200ms /t/ttl b /t/kept c; xs write /t/kept d
until_so gone /t/ttl
pass "and goes when it is over"
is "who writes another value keeps the key" d "$(xs read /t/kept)"
# where nobody comes to run for long, the time has to be longer
for part in 0.6 2.4 9.6; do
	for _ in 1 2 3; do xs write --ttl "$(echo "$part" | awk '{ print $1 * 5 / 3 }')s" /t/ttl same; sleep $part; done
	still=$(xs read /t/ttl 2>/dev/null)
	[ "$still" = same ] && break
done
is "one that is written again has its time again" same "$still"
until_so gone /t/ttl
pass "and not for ever"
xs write --ttl 1s /t/ttl on /t/again on; xs write /t/ttl off; xs write /t/ttl on
kill_daemon; start_store
xs write /t/again off; xs write /t/again on
until_so sh -c "! '$xs_prog' control bonds | grep -q ' on$'"
is "the same value written anew without a time stays" "on on" "$(xs read /t/ttl) $(xs read /t/again)"
run xs write --ttl 5s /config/ttl v
is "a key that is kept over a boot is refused" "1 1" "$rc $(echo "$err" | grep -c 'kept over a boot cannot be bound')"
is "and not written" 1 "$(xs exists /config/ttl; echo $?)"
for time in 0 10ms 25h; do
	run xs write --ttl $time /t/never v
	is "a time of $time is refused" "2 xs: --ttl $time: 100ms to 24h are allowed (see: xs help write)" "$rc $err"
	run xs elect --lease $time /t/never -- true; is "as a lease too" 2 "$rc"
	run xs lock --lease $time /t/never -- true; is "of a lock too" 2 "$rc"
done
is "and nothing is written" 1 "$(xs exists /t/never; echo $?)"
xs write /t/there x
run xs write --if-absent --ttl 1h /t/refused v /t/there v; is "one of two refused" 1 "$rc"
run xs write --ttl 1h /t/refused v /config/ttl v; is "one of two that cannot be bound" 1 "$rc"
is "leaves no bond" "" "$(xs control bonds | grep refused)"
xs write --ttl 1h /t/refused v; run xs write --if-absent --ttl 1h /t/refused v
is "one of the same value leaves what others bound" 1 "$(xs control bonds | grep -c refused)"
xs control unbind /t/refused v >"$dir/out"; is "which can be taken back" "" "$(xs control bonds)"
xs write --ttl 20s /t/ttl over
kill_daemon; start_store
is "a daemon that is started again gives the whole time again" over "$(xs read /t/ttl)"
until_so gone /t/ttl
pass "and then it goes"

# ---- a holder that hangs ----
rm -f "$dir"/*.log
# a third of it is what the leader may be late by, on a machine where nobody comes to run for long
candidate one --lease 12s; one=$pid
until_so leads one
candidate two --lease 12s; two=$pid
sleep 15
is "a leader that renews stays" one "$(leader)"
kill -STOP $one
until_so leads two
pass "one that hangs is none after its time"
kill -CONT $one
until_so test -s "$dir/one.err"
is "its command is ended at once" 1 "$(kill -0 "$(cat "$dir/one.cmd")" 2>/dev/null; echo $?)"
is "it learns so, and ends its command" "xs: /t/leader: not the leader any more" "$(cat "$dir/one.err")"
is "the other one leads on" two "$(leader)"
kill_daemon
kill -9 $two $one; wait $one $two 2>/dev/null
start_store
until_so gone /t/leader
pass "of leader and daemon killed together nothing is left after the time"

# ---- a daemon that is away, for a command that does not end ----
"$xs_prog" elect --lease 18s --name deaf /t/leader -- \
	sh -c "trap '' TERM; echo \$\$ >$dir/deaf.cmd; while :; do sleep 0.05; done" 2>"$dir/deaf.err" &
deaf=$!
until_so test -s "$dir/deaf.cmd"
begin=$(date +%s%N)
kill_daemon
until_so ended "$(cat "$dir/deaf.cmd")"
is "it is killed before the lease is over" yes "$([ $((($(date +%s%N) - begin) / 1000000)) -lt 18000 ] && echo yes || echo no)"
wait $deaf
is "and xs says why" "xs: /t/leader: the store is gone, and so is the leadership" "$(cat "$dir/deaf.err")"
# the leadership stays for its whole time again, and somebody waits for it
start_store
candidate two --lease 3s; two=$pid
until_so sh -c "'$xs_prog' control bonds | grep -q ' two '"
kill_daemon
sleep 4
start_store
is "who waits, waits for the daemon longer than its lease" "leads" "$(comes_so leads two && echo leads)"
kill $two; wait $two 2>/dev/null

# ---- a daemon that is there and does not answer ----
candidate one --lease 3s; one=$pid
until_so test -s "$dir/one.cmd"
command_pid=$(cat "$dir/one.cmd")
kill -STOP "$daemon"
is "of a store that is stopped the command ends before the lease" "ended" "$(comes_so ended "$command_pid" && echo ended)"
is "and xs says so" "xs: /t/leader: not the leader any more" "$(cat "$dir/one.err")"
kill $one; wait $one
is "a leader of before who waits for it can be told to end" 143 $?
kill -CONT "$daemon"
until_so gone /t/leader

# ---- lock ----
"$xs_prog" lock --lease 15s /t/lock -- sh -c "echo \$\$ >$dir/lock.cmd; read -r x <$dir/gate" 2>/dev/null &
holder=$!
mkfifo "$dir/gate"
until_so test -s "$dir/lock.cmd"
run xs lock --lease 15s -n /t/lock -- true; is "a lock with a lease is not given twice" 1 "$rc"
run xs lock --lease 15s -t 200ms /t/lock -- true; is "nor in time" 124 "$rc"
kill_daemon; start_store
run xs lock --lease 15s -n /t/lock -- true; is "nor after a restart of the daemon" 1 "$rc"
xs rm /t/lock
wait $holder; is "a lock that somebody takes away ends the command" 1 $?
run xs lock --lease 15s -n /t/lock -- sh -c 'exit 3'; is "then it is free" 3 "$rc"
is "and leaves nothing" 1 "$(xs exists /t/lock; echo $?)"

# ---- a connection that is not there at the start: 20 s ----
candidate one; one=$pid
until_so leads one
kill_daemon
kill -9 $one; wait $one 2>/dev/null
start_store
is "a leader that may still come back is waited for" one "$(leader)"
until_so gone /t/leader
pass "and not for ever"
plan
