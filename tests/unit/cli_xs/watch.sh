#!/bin/sh
# SPDX-License-Identifier: MIT
# watch.sh - xs watch: initial state, changes, handlers, ends and exit statuses, a daemon that goes.
. "$(dirname "$0")/lib.sh"
start_store
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; PATH="$dir/bin:$PATH"
unset LD_LIBRARY_PATH
cd "$dir" || exit 99
xs write /t/a 1 /t/b 2

# what a service manager hears
cat >listen.py <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
while b"READY=1" not in s.recv(4096):
    pass
P
# Begins to watch, and waits until it says that the state at the start is read.
watch()
{
	rm -f notify
	python3 listen.py notify &
	listener=$!
	until_so test -S notify
	NOTIFY_SOCKET=$PWD/notify timeout 300 xs watch "$@" >events 2>errors &
	watcher=$!
	wait $listener && return
	echo "Bail out! xs watch $* did not begin: $(cat errors)"
	exit 99
}
done_watching() { wait $watcher; rc=$?; }
types() { sed 's/.*"type":"\([a-z]*\)".*/\1/' events | xargs; }

watch /t -n 3
xs write /t/a 5; xs write /t/c 3; xs rm /t/b
done_watching
is "the state first, then each change" "initial /t = |initial /t/a = 1|initial /t/b = 2|put /t/a = 5|put /t/c = 3|del /t/b" \
	"$(sed 's/  */ /g; s/ *$//' events | sed 's/^initial \/t =$/initial \/t = /' | paste -sd '|')"
is "-n ends with status 0" 0 $rc
watch -j /t -n 2 --prev
xs write /t/a 6; xs perms /t/a n0 r3
done_watching
is "JSON events have their types, and the state ends with synced" \
	"initial initial initial synced put perms" "$(types)"
is "--prev gives the value before" 1 "$(grep -c '"type":"put".*"value":"6","prev":"5"' events)"
watch --initial none -n 1 /t/a
xs write /t/a 7
done_watching
is "--initial none begins with the first change" "put      /t/a = 7" "$(cat events)"
watch --initial event -n 1 /t
xs write /t/a 8
done_watching
is "--initial event is one event a path" 2 "$(wc -l <events)"
watch --initial none --depth 1 -n 2 /t
xs write /t/d/e/f deep; xs write /t/a 9
done_watching
is "--depth leaves out what is deeper" "put      /t/d = |put      /t/a = 9" "$(paste -sd '|' events)"
watch --initial none -n 1 '/t/*/state'
xs write /t/x/other 1 /t/x/state 4
done_watching
is "a pattern picks names" "put      /t/x/state = 4" "$(cat events)"
watch --until /t/done=yes /t
xs write /t/done no; xs write /t/done yes
done_watching
is "--until ends when the value is there" "0 put      /t/done = yes" "$rc $(tail -n 1 events)"
watch --initial none --timeout 3s /t
done_watching
is "--timeout: status 124" 124 $rc
watch --initial none --debounce 3s -n 3 /t
xs write /t/a 1; xs write /t/a 2; xs write /t/a 3
done_watching
is "--debounce reports the last value only" "put      /t/a = 3" "$(cat events)"
xs write /sub/x 1 /sub/y 2
watch --initial state -n 3 /sub
xs rm /sub
done_watching
is "removing a subtree reports what was below" "del /sub del /sub/x del /sub/y" \
	"$(grep '^del' events | awk '{print $1, $2}' | sort -k 2 | xargs)"
watch -n 1 @introduceDomain --initial none
is "a special watch can be set" 1 "$(xs watches | grep -c introduceDomain)"
kill $watcher; done_watching

# handlers
cat >handler <<'H'
#!/bin/sh
echo "$XS_TYPE $XS_PATH=$XS_VALUE" >>handled
cat >>batches
H
chmod +x handler
watch --initial none -n 1 /t/h --exec ./handler
xs write /t/h run
done_watching
is "--exec runs the handler with the event in its environment" "put /t/h=run" "$(cat handled)"
is "and as a JSON line on its standard input" 1 "$(grep -c '"type":"put"' batches)"
watch --initial none -n 1 --exit-on-fail /t/h --exec sh -c 'exit 9'
xs write /t/h again
done_watching
is "--exit-on-fail: the handler's status is ours" 9 $rc
watch --initial none -n 1 /t/h --exec ./no-such-program
xs write /t/h again
done_watching
is "a handler that cannot start: status 125" 125 $rc
rm -f handled
watch --initial none -n 3 /t --exec-per-key ./handler
xs write /t/k1 1 /t/k2 2 /t/k3 3
done_watching
is "--exec-per-key runs once a path" "/t/k1=1 /t/k2=2 /t/k3=3" "$(awk '{print $2}' handled | sort | xargs)"


# exact events, and the same by the protocol's watches alone
for how in "" --plain; do
	xs rm -f /e; xs write /e/a 1 /e/b/c 2
	watch $how -j --prev -n 4 /e
	# each is seen before the next: the protocol's watches tell two quick changes as one
	xs write /e/a 3; until_so grep -q '"type":"put"' events
	xs perms /e/a n0 r4; until_so grep -q '"type":"perms"' events
	xs rm /e/b
	done_watching
	is "watch $how: put, perms, and a line for each node that goes" "put /e/a 3 1 perms /e/a 3 del /e/b del /e/b/c 2" \
		"$(grep -v initial events | grep '"path"' | python3 -c '
import json, sys
for e in map(json.loads, sys.stdin):
    print(e["type"], e["path"], *[e[k] for k in ("value", "prev") if e.get(k) and not (k == "prev" and e["type"] == "perms")])' | sort -k 2,2 -s | xargs)"
done
watch -j -n 1 --initial none /e
xs txn - >/dev/null <<'J'
{"if": {}, "then": {"e": {"a": "x"}}}
J
done_watching
is "an exact event has generation, author and transaction" "True True 0 True" "$(tail -n 1 events | python3 -c '
import json, sys
e = json.loads(sys.stdin.read())
print(e["exact"], e["gen"] > 0, e["dom"], e["tx"] > 0)')"
gen=$(tail -n 1 events | sed 's/.*"gen":\([0-9]*\).*/\1/')
is "and the generation is what stat shows" "$gen" "$(xs stat /e/a | awk '/^generation/{print $2}')"
xs write /e/new 1
watch -n 1 --from "$gen" /e
xs write /e/done 1
done_watching
is "--from GEN begins with what changed since" "initial /e/new put /e/done" "$(awk '{print $1, $2}' events | xargs)"
watch -n 2 --initial none /e /e/a
xs write /e/a 1; xs write /e/z 1
done_watching
is "paths that overlap report a change once" "put /e/a put /e/z" "$(awk '{print $1, $2}' events | xargs)"

# handlers at the end, several at once, by the shell
cat >slow <<'H'
#!/bin/sh
# timeout(1) tells us, and then our whole group
trap 'trap "" TERM; echo ended >>slow.log; exit' TERM
echo "begun $XS_PATH" >>slow.log
sleep 1000 & wait
H
chmod +x slow
watch --initial none /e --exec ./slow
xs write /e/a 2
until_so test -s slow.log
# timeout passes the signal on
kill $watcher; done_watching
is "an interrupted watch ends its handler" "begun /e/a ended" "$(xargs <slow.log)"
rm slow.log
cat >slow <<'H'
#!/bin/sh
echo "begun $XS_PATH" >>slow.log
for _ in $(seq 600); do [ "$(grep -c begun slow.log)" = 3 ] && echo together >>slow.log && exit; sleep 0.1; done
H
watch --initial none -n 3 --parallel 3 /e --exec-per-key ./slow
xs write /e/p1 1 /e/p2 1 /e/p3 1
done_watching
is "--parallel runs handlers side by side" "3" "$(grep -c together slow.log)"
is "--parallel needs --exec-per-key" 2 "$(xs watch --parallel 2 /e --exec true 2>/dev/null; echo $?)"
watch --initial none -n 1 --shell /e --exec 'echo "$XS_PATH=$XS_VALUE $XS_DOMID $1" >shell.log' arg
xs write /e/sh 5
done_watching
is "--shell runs a command line" "/e/sh=5 0 arg" "$(cat shell.log)"

# a handler that still runs when the next change comes
cat >busy <<'H'
#!/bin/sh
trap 'echo "stopped $XS_VALUE" >>busy.log; exit' TERM
trap 'echo "hup $XS_VALUE" >>busy.log' HUP
echo "begun $XS_VALUE" >>busy.log
until [ -e go ]; do sleep 0.05; done
echo "ended $XS_VALUE" >>busy.log
H
chmod +x busy
xs write /b/k 0 /b/other 0
busy() { rm -f busy.log go; watch --initial none "$@" ./busy; xs write /b/k 1; until_so grep -q 'begun 1' busy.log; }
busy /b --exec
xs write /b/k 2; xs write /b/k 3; xs write /b/k 4; touch go
until_so grep -q 'ended 4' busy.log
kill $watcher; done_watching
is "while a handler runs, changes gather: the last one runs it again" "begun 1 ended 1 begun 4 ended 4" "$(xargs <busy.log)"
# nothing tells that a change was dropped: one that arrived too late to be is tried again, later
for pause in 0.2 1 5 20; do
	busy --on-busy drop /b --exec
	xs write /b/k 2; sleep $pause
	touch go; until_so grep -q 'ended 1' busy.log
	until_so sh -c 'xs write /b/k 3 && grep -q "ended 3" busy.log'
	kill $watcher; done_watching
	grep -q 'begun 2' busy.log || break
done
is "--on-busy drop: they are dropped" "begun 1 ended 1 begun 3 ended 3" "$(head -n 4 busy.log | xargs)"
busy --on-busy restart /b --exec
xs write /b/k 2; until_so grep -q 'begun 2' busy.log
touch go; until_so grep -q 'ended 2' busy.log
kill $watcher; done_watching
is "--on-busy restart: the old one ends before the new one begins" "begun 1 stopped 1 begun 2 ended 2" "$(xargs <busy.log)"
busy --on-busy signal:HUP /b --exec
xs write /b/k 2; until_so grep -q 'hup 1' busy.log
touch go; until_so grep -q 'ended 1' busy.log
kill $watcher; done_watching
is "--on-busy signal:HUP: it gets the signal" "begun 1 hup 1 ended 1" "$(head -n 3 busy.log | xargs)"
busy --on-busy queue /b --exec
xs write /b/k 2; xs write /b/k 3; xs write /b/other 9; xs write /b/k 4; touch go
until_so grep -q 'ended 4' busy.log
kill $watcher; done_watching
is "--on-busy queue: all of them wait" "begun 1 ended 1 begun 4 ended 4" "$(xargs <busy.log)"
cat >each <<'H'
#!/bin/sh
[ "$XS_VALUE" = 1 ] && until [ -e go ]; do sleep 0.05; done
echo "$XS_VALUE" >>each.log
H
chmod +x each; rm -f go each.log
watch --initial none --on-busy queue -n 4 /b --exec-per-key ./each
xs write /b/k 1; xs write /b/k 2; xs write /b/k 3; xs write /b/k 2; touch go
done_watching
is "queue with --exec-per-key: a run for each, in their order" "0 1 2 3 2" "$rc $(xargs <each.log)"
rm -f go each.log
cat >each <<'H'
#!/bin/sh
[ "$XS_VALUE" = 1 ] && : >held && until [ -e go ]; do sleep 0.05; done
echo "$XS_VALUE" >>each.log
H
watch --initial none -n 4 /b --exec-per-key ./each
xs write /b/k 1; until_so test -e held
xs write /b/k 2; xs write /b/k 3; xs write /b/k 4; touch go
done_watching
is "coalesce: the last of each path" "0 4" "$rc $(tail -n 1 each.log | xargs)"
cat >all <<'H'
#!/bin/sh
grep -o '"value":"[^"]*"' | tr -dc '0-9\n' >>all.log
[ -e go ] || until [ -e go ]; do sleep 0.05; done
H
chmod +x all; rm -f go all.log
watch --initial none --on-busy queue -n 4 /b --exec ./all
xs write /b/k 1; until_so grep -q 1 all.log
xs write /b/k 2; xs write /b/k 3; xs write /b/k 2; touch go
done_watching
is "queue: a batch has all that waited" "0 1 2 3 2" "$rc $(xargs <all.log)"
run xs watch --check --on-busy queue --debounce 1s /b
is "queue with --debounce is coalesce, and that is said once" "0 1" "$rc $(echo "$err" | grep -c 'is coalesce')"

# held back, also at the end
watch --initial none --debounce 2s -n 1 /b
xs write /b/k 10; xs write /b/k 11
done_watching
is "-n with --debounce waits its time" "0 put /b/k = 11" "$rc $(xargs <events)"
watch --initial none --debounce 1s -n 1 /b
while [ ! -e quiet ]; do xs write /b/k busy /b/other busy; sleep 0.05; done & busy_writer=$!
done_watching
touch quiet; wait $busy_writer
is "also where it is never quiet; other paths are not for it" "0 1" "$rc $(wc -l <events)"
watch --debounce 300ms --until /b/k=12 /b/k
xs write /b/k 12
done_watching
is "so does --until" "0 put /b/k = 12" "$rc $(tail -n 1 events | xargs)"
watch --initial none /b/watched
is "watches lists our own watchers" "feed" "$(xs watches | sed -n 's,.* /b/watched ,,p')"
xs write /b/watched 1; is "stat counts them" 1 "$(xs stat /b/watched | awk '/^watches/{print $2}')"
kill $watcher; done_watching
watch --initial none --debounce 1h --max-wait 300ms -n 1 /b
xs write /b/m 1
done_watching
is "--max-wait ends the wait for quiet" "0 put /b/m" "$rc $(awk '{print $1, $2}' events)"
watch --debounce 1h -t 10s /b/k
done_watching
is "--debounce does not delay the state at the start" "124 initial /b/k" "$rc $(awk '{print $1, $2}' events)"

# automations in files
mkdir watch.d
cat >watch.d/one.conf <<'C'
# what is written below /auto/in goes to /auto/out
path = /auto/in/*
initial = none
exec-per-key = sh -c 'xs write "/auto/out/${XS_PATH##*/}" "$XS_VALUE"'
C
printf 'path = /x\nnonsense = 1\n' >bad.conf
run xs watch --config bad.conf
is "a wrong line of a file is told with its place" "2 1" "$rc $(echo "$err" | grep -c 'bad.conf:2:1: ')"
run xs watch --config watch.d
is "a file that cannot be read is told" "2 1" "$rc $(echo "$err" | grep -c '^xs: watch.d: ')"
xs write /auto/in ''
xs automate watch.d 2>automate.log &
automate=$!
cat >watch.d/two.conf <<'C'
path = /auto/in/*
initial = none
shell = yes
exec-per-key = 'xs write "/auto/two${XS_PATH#/auto/in}" "$XS_VALUE"'
C
# both automations are at work once their marks come through
comes_so sh -c 'xs write /auto/in/k "$(date +%s%N)"; xs exists /auto/out/k /auto/two/k'
is "automate runs every file of a directory, also one that comes later" 0 "$(xs exists /auto/out/k /auto/two/k; echo $?)"
kill $automate; wait $automate 2>/dev/null
is "and ends them with itself" 0 "$(xs watches | grep -c auto)"

# a file that changes: the handler that runs goes on, and nothing is lost
mkdir reload.d
cat >slow <<'H'
#!/bin/sh
echo "$1 begun $XS_VALUE" >>reload.log
[ "$XS_VALUE" != hold ] || until [ -e reload.go ]; do sleep 0.05; done
echo "$1 ended $XS_VALUE" >>reload.log
H
chmod +x slow; : >reload.log
conf() { printf 'path = /re/*\ninitial = none\non-busy = queue\nexec-per-key = ./slow %s\n' "$1" >new.conf; mv new.conf reload.d/r.conf; }
conf old
xs automate reload.d 2>reload.err &
automate=$!
until_so sh -c 'xs write /re/k first; sleep 0.1; grep -q "old ended first" reload.log'
until_so sh -c '[ "$(grep -c begun reload.log)" = "$(grep -c ended reload.log)" ]'
: >reload.log
watching=$(pgrep -P $automate)
xs write /re/k hold; until_so grep -q 'old begun hold' reload.log
xs write /re/k q1; xs write /re/other q2
printf 'path = /re/*\nnonsense\n' >reload.d/r.conf
until_so grep -q 'goes on as it was' reload.err
conf new
until_so grep -q 'has changed: it is read anew' reload.err
xs write /re/k q3
is "a file that changes ends no handler" "old begun hold" "$(cat reload.log)"
touch reload.go
until_so grep -q 'ended q3' reload.log
is "nor loses what waited; the new command gets it" \
	"old begun hold,old ended hold,new begun q1,new ended q1,new begun q2,new ended q2,new begun q3,new ended q3" \
	"$(paste -sd , reload.log)"
is "in the same process" "$watching" "$(pgrep -P $automate)"
is "what is wrong in a file is told once" 1 "$(grep -c 'r.conf:2:1: ' reload.err)"
xs rm /re/other
until_so grep -q "new ended $" reload.log
is "it goes on with what it has seen" 1 "$(grep -c 'new begun $' reload.log)"
# right when it was looked at, wrong when the handler has ended
: >reload.log; rm reload.go; : >reload.err
xs write /re/k hold; until_so grep -q 'new begun hold' reload.log
xs write /re/k q4
conf newer; until_so grep -q 'has changed: it is read anew' reload.err
printf 'path = /re/*\nnonsense\n' >reload.d/r.conf; until_so grep -q 'goes on as it was' reload.err
touch reload.go
comes_so grep -q 'ended q4' reload.log
is "a file that is wrong by the time it is read loses nothing" "new begun hold,new ended hold,new begun q4,new ended q4" \
	"$(paste -sd , reload.log)"
conf new; until_so sh -c 'xs write /re/k mark; grep -q "new ended mark" reload.log'
is "still in the same process" "$watching" "$(pgrep -P $automate)"
# an editor puts the old file away before it writes the new one
: >reload.log; rm reload.go
xs write /re/k hold; until_so grep -q 'new begun hold' reload.log
xs write /re/k q5
mv reload.d/r.conf old.conf; sleep 0.5; conf edited
touch reload.go
comes_so grep -q 'ended q5' reload.log
is "a file that is away for a moment ends no handler and loses nothing" "new ended hold 1" \
	"$(grep 'ended hold' reload.log) $(grep -c 'begun q5' reload.log)"
# nor does a directory that cannot be read
mv reload.d away.d; until_so grep -q 'reload.d: .*: what runs goes on' reload.err
mv away.d reload.d
is "nor does a directory that is away" "$watching" "$(pgrep -P $automate)"
# nor a file that is put away as soon as somebody has looked at it
printf '#!/bin/sh\necho "$XS_VALUE" >>away.log\n' >say; chmod +x say
printf 'path = /away/*\ninitial = none\nexec-per-key = ./say\n' >away.conf
xs watch --config away.conf & watcher=$!
until_so sh -c 'xs write /away/k before; grep -q before away.log'
cat >hide.py <<'P'
import ctypes, os
CLOSE_NOWRITE = 0x10
libc = ctypes.CDLL(None)
looks = libc.inotify_init()
libc.inotify_add_watch(looks, b"away.conf", CLOSE_NOWRITE)
open("hiding", "w").close()
os.read(looks, 4096)
os.rename("away.conf", "hidden.conf")
P
/usr/bin/python3 hide.py & until_so test -e hiding
kill -USR1 $watcher; until_so test -e hidden.conf
comes_so sh -c 'xs write /away/k after; grep -q after away.log'
is "nor a file that is put away once somebody has looked at it" "0 before after" "$(kill -0 $watcher; echo $?) $(sort -ru away.log | xargs)"
kill $watcher; done_watching
echo nonsense >reload.d/bad.conf
until_so grep -q 'bad.conf: is wrong; it is tried again when it changes' reload.err
sleep 2
is "a file that is wrong from the start, too" 1 "$(grep -c 'bad.conf:1:1' reload.err)"
printf 'path = /late/*\ninitial = none\nexec-per-key = ./slow late\n' >reload.d/bad.conf
until_so sh -c 'xs write /late/k now; grep -q "late ended now" reload.log'
is "and is tried again when it changes" "late begun now" "$(grep 'late begun' reload.log | sort -u)"
kill $automate; wait $automate 2>/dev/null
run xs watch --check --config reload.d/r.conf
is "--check only looks" "0 " "$rc $out$err"

# a handler that does not end by itself: the next event ends it, and is for the new command
mkdir long.d
cat >long <<'H'
#!/bin/sh
trap "" HUP
echo "$1 begun $XS_VALUE" >>long.log
sleep 1000
H
chmod +x long
for how in restart signal:HUP; do
	long() { printf 'path = /long\ninitial = none\non-busy = %s\nexec = ./long %s\n' $how "$1" >new.conf; mv new.conf long.d/l.conf; }
	long old; : >long.log; : >long.err
	xs automate long.d 2>long.err &
	automate=$!
	until_so sh -c 'grep -q "old begun" long.log || { xs write /long first; sleep 0.3; false; }'
	long new
	until_so grep -q 'has changed: it is read anew' long.err
	# one that comes before the signal does is for the old command
	until_so sh -c 'grep -q "new begun" long.log || { xs write /long next; sleep 0.3; false; }'
	is "on-busy = $how: a changed file does not make it deaf" "new begun next" "$(grep new long.log | head -n 1)"
	kill $automate; wait $automate 2>/dev/null
done

# usage
run xs watch
is "no path: status 2" 2 $rc
run xs watch --initial nonsense /t
is "a wrong option value: status 2" 2 $rc
run env XENSTORED_PATH=/nothing xs watch /t
is "no daemon: status 3" 3 $rc
{ xs watch /t 2>errors; echo $? >unread; } | head -n 1 >/dev/null &
until_so sh -c 'xs write /t/a p1; xs write /t/a p2; test -s unread'
is "a reader that goes away ends it quietly" 0 "$(cat unread errors)"

run sh -c 'xs watch /t >/dev/full'
is "events that cannot be written end it with status 1" "1 1" "$rc $(echo "$err" | grep -c 'standard output: No space')"

# nothing can be written in /tmp
read_only='mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp'
if unshare -rm sh -c "$read_only" 2>/dev/null; then
	run unshare -rm sh -c "$read_only && exec xs watch --initial event -t 300ms /t/a --exec xs write /t/full seen"
	is "a handler needs no room on a disk" "124 seen" "$rc $(xs read /t/full)"
fi

# the daemon dies and comes back
if [ -n "$daemon" ]; then
	watch -j -n 2 /t/a
	kill -9 "$daemon"; wait "$daemon" 2>/dev/null
	until_so grep -q '"type":"lost"' events
	start_store
	until_so grep -q '"type":"resync"' events
	xs write /t/a back1; xs write /t/a back2
	done_watching
	is "after a kill -9: lost, then resync, then it goes on" "initial synced lost resync put put" "$(types)"
	watch --on-lost exit /t/a
	kill -9 "$daemon"; wait "$daemon" 2>/dev/null
	done_watching
	is "--on-lost exit: status 3" 3 $rc
	daemon=
fi
plan
