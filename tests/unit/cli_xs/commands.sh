#!/bin/sh
# SPDX-License-Identifier: MIT
# commands.sh - the commands of xs, each against a real daemon: output, status, store afterwards.
. "$(dirname "$0")/lib.sh"
start_store
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; PATH="$dir/bin:$PATH"
unset LD_LIBRARY_PATH

run xs
is "without a command the help is shown as an error and the status is 2" "2 1 " "$rc $(echo "$err" | grep -c '^ ls ') $out"
run env XENSTORED_PATH=/nothing xs help
is "help needs no store" 0 $rc
for cmd in $(xs help | sed -n 's/^ \([a-z]*\) .*/\1/p'); do
	run env XENSTORED_PATH=/nothing xs help "$cmd"
	[ $rc = 0 ] && [ "$(echo "$out" | grep -c '^Usage: xs ')" = 1 ] || fail "help $cmd" "$out"
done
pass "help COMMAND works for every command without a store"
run env XENSTORED_PATH=/nothing xs ls
is "no daemon: status 3" 3 $rc
run xs nonsense
is "an unknown command: status 2" "2 xs: unknown command 'nonsense' (see: xs help)" "$rc $err"
run xs raed
is "the nearest one is named" "2 xs: unknown command 'raed'; did you mean 'read'? (see: xs help)" "$rc $err"
run xs read
is "a missing argument: status 2" 2 $rc
run xs ls --nonsense
is "an unknown option: status 2" 2 $rc

run sh -c "'$xs_prog' ls / >/dev/full"
is "output that cannot be written: status 1" "1 1" "$rc $(echo "$err" | grep -c 'standard output: No space')"

# values
run xs write /t/a one /t/b 'two words'
is "write sets several values" 0 $rc
is "read gives one value" one "$(xs read /t/a)"
is "read gives several with their paths" "/t/a = one
/t/b = two words" "$(xs read /t/a /t/b)"
is "get and put are read and write" three "$(xs put /t/c three && xs get /t/c)"
is "read -j of text is a JSON string" '"one"' "$(xs read -j /t/a)"
printf 'x\000\377y' | xs write --stdin /t/bin
is "a value from standard input keeps every byte" "7800ff79" \
	"$(xs read --raw /t/bin | od -An -tx1 | tr -d ' \n')"
is "bytes that are no text are never shown raw" 'x\x00\xffy' "$(xs read /t/bin)"
is "read -j of bytes is base64" '{"@b64":"eAD/eQ=="}' "$(xs read -j /t/bin)"
xs write /t/u 'grün'
is "UTF-8 is shown as it is" 'grün' "$(xs read /t/u)"
run xs read /t/nothing
is "read of nothing: status 1" 1 $rc
run xs read -j /t/nothing
is "errors are JSON with -j" 1 "$(echo "$err" | grep -c '^{"error":".*","code":1}$')"
run xs write --if-absent /t/a x
is "write --if-absent refuses an existing node" "1 one" "$rc $(xs read /t/a)"
run xs write --if-value one /t/a uno
is "write --if-value changes what matches" "0 uno" "$rc $(xs read /t/a)"
run xs write --if-value one /t/a 1
is "write --if-value refuses what does not" "1 uno" "$rc $(xs read /t/a)"
run xs write /t/good 1 '/t//bad' 2
is "several writes are one transaction" "1 1" "$rc $(xs exists /t/good; echo $?)"

gen=$(xs stat /t/a | awk '/^generation/{print $2}')
if [ -n "$daemon" ]; then # others do not tell
	xs watch --plain /t >/dev/null & watcher=$!
	until_so sh -c "xs who | grep -q ' /t$'"
	is "stat tells how many watches a change fires" 1 "$(xs stat /t/a | awk '/^watches/{print $2}')"
	kill $watcher
fi
xs write /config/domain/typed/memory 64
is "and the type of what is registered" "MIB(2..16777216)" "$(xs stat /config/domain/typed/memory | awk "/^type/{print \$2}")"
xs rm /config/domain
run xs put --if-gen "$gen" /t/a due
is "write --if-gen changes what is of that generation" "0 due" "$rc $(xs get /t/a)"
run xs put --if-gen "$gen" /t/a tre
is "and only that" "1 due" "$rc $(xs get /t/a)"
run xs put --if-gen 0 /t/a tre
is "write --if-gen 0 wants nothing to be there" 1 $rc
if command -v script >/dev/null; then
	run script -qec "'$xs_prog' get --raw /t/bin" /dev/null
	is "get --raw gives a terminal no bytes that are no text" "1 0" "$rc $(echo "$out" | grep -c "$(printf '\377')")"
	# ESC, and CSI in one character, which is text
	for evil in '\033]0;title\007' 'x\302\2330m'; do
		xs write --ttl 1h /t/evil "$(printf "$evil")"
		for how in 'read --raw' 'read --raw --null' 'read --json' 'read' 'export' 'export --exact' 'control bonds' 'tree'; do
			case $how in *bonds) what= ;; *) what=/t/evil ;; esac
			script -qec "LC_ALL=C.UTF-8 '$xs_prog' $how $what" /dev/null </dev/null >"$dir/shown" 2>&1
			is "$how: nothing stored talks to a terminal" 0 "$(LC_ALL=C grep -c "$(printf '\033\|\302\233')" "$dir/shown")"
		done
		xs rm /t/evil
	done
fi

# listing
xs rm /t; xs write /t/x 1 /t/d/e/f 2 /t/d/g 3
is "ls shows children with values" "d  
x  1" "$(xs ls /t)"
is "ls -f shows full paths" "/t/d = 
/t/x = 1" "$(xs ls -f /t)"
is "list shows names" "d
x" "$(xs list /t)"
is "tree draws what is below" "/t
+- d
|  +- e
|  |  \`- f = 2
|  \`- g = 3
\`- x = 1" "$(xs tree /t)"
is "tree -d limits the depth" "/t
+- d
\`- x = 1" "$(xs tree -d 1 /t)"
is "ls -j is JSON" '[{"path":"/t/d","name":"d","value":""},{"path":"/t/x","name":"x","value":"1"}]' \
	"$(xs ls -j /t)"
is "find takes patterns" "/t/d/e/f = 2
/t/d/g = 3" "$(xs find '/t/*/**' | grep -v '= $')"
is "find --value looks into values" /t/d/g "$(xs find -n --value 3 /t)"
run xs find /t/nothing/here
is "find of nothing: status 1" 1 $rc
is "ls takes a pattern" "/t/d/e = 
/t/d/g = 3" "$(xs ls '/t/d/*')"
is "get takes a pattern" "/t/d/g = 3
/t/x = 1" "$(xs get '/t/**' | grep -v '= $' | grep -v /f)"
is "--ndjson is an object a line" '{"path":"/t/d","name":"d","value":""}
{"path":"/t/x","name":"x","value":"1"}' "$(xs ls --ndjson /t)"
is "grep finds values by expression" /t/d/g "$(xs grep -n '^[3-9]$' /t)"
is "grep -k looks at paths, -F takes text, -v the others" "/t/x /t/d/e /t/d/e/f /t/d/e/f /t/d/g" \
	"$(xs grep -n -F 1 /t) $(xs grep -k -n '/e' /t | xargs) $(xs grep -v -n '^1*$' /t | xargs)"
run xs get -j --ndjson /t/x
is "--ndjson is stronger than --json" '0 {"path":"/t/x","name":"x","value":"1"}' "$rc $out$err"
run xs ls /t /t/d
is "ls of several paths: status 2, not the first alone" 2 $rc
run sh -c "xs put --stdin /t/x <'$dir'"
is "an input that cannot be read is no empty value" "1 1" "$rc $(xs get /t/x)"
run xs grep '(' /t
is "a bad expression: status 2" 2 $rc
xs write /local/domain/9/name nine /local/domain/9/device/vbd/51712/state 4 /local/domain/9/memory/target 131072 \
	/local/domain/9/device/vbd/51712/virtual-device 51712 /local/domain/0/backend/vbd/9/51712/frontend-id 9
is "--decode tells states, disks, sizes and domains" "4 (Connected) 51712 (xvda) 131072 (128 MiB) 9 (nine)" \
	"$(xs get -v --decode /local/domain/9/device/vbd/51712/state /local/domain/9/device/vbd/51712/virtual-device \
	   /local/domain/9/memory/target /local/domain/0/backend/vbd/9/51712/frontend-id | xargs)"
xs rm /local/domain/9 /local/domain/0/backend
is "ls -0 ends paths by NUL bytes" 2 "$(xs ls -0 /t | tr -cd '\000' | wc -c)"
is "du counts nodes" "    4      6  d" "$(xs du /t | sed -n 2p)"
for i in $(seq 500); do echo "/t/many/child-with-a-long-name-$i 1"; done | xargs -n 20 xs write
is "a directory larger than one message is listed whole" 500 "$(xs list /t/many | wc -l)"

# moving, permissions
xs rm /t/many; xs perms /t/d n0 r5
is "perms shows what was set" n0,r5 "$(xs perms /t/d)"
run xs cp /t/d /t/copy
is "cp copies values and permissions" "0 3 n0,r5" "$rc $(xs read /t/copy/g) $(xs perms /t/copy)"
run xs cp /t/d /t/copy
is "cp does not write over something" 1 $rc
run xs mv /t/copy /t/moved
is "mv moves" "0 2 1" "$rc $(xs read /t/moved/e/f) $(xs exists /t/copy; echo $?)"
run xs mv /t/d /t/d/e/inside
is "mv into itself is refused" 2 $rc
run xs perms -r /t/d n0 r7
is "perms -r sets all below" "n0,r7" "$(xs perms /t/d/e/f)"
run xs perms /t/d x0
is "a wrong permission: status 2" 2 $rc
is "stat tells size and children" "1 2" "$(xs stat /t/x | awk '/^size/{print $2}') $(xs stat /t/d | awk '/^children/{print $2}')"
run xs rm /t/nothing
is "rm of nothing: status 1" 1 $rc
run xs rm -f /t/nothing
is "rm -f of nothing: status 0" 0 $rc
run xs exists /t/x /t/nothing
is "exists: status 1 when one is missing" 1 $rc

# short paths
xs write /local/domain/7/name seven /local/domain/7/key v
is "~7/ is domain 7's home" v "$(xs read '~7/key')"
is "vm:NAME/ is the home of the domain of that name" v "$(xs read vm:seven/key)"
is "NAME:x is the same" "v v" "$(xs read seven:key) $(xs read -v seven:/key)"
run xs read vm:nobody/key
is "vm: of a domain that is not there: status 1" 1 $rc
is "a path needs no leading slash" v "$(xs read local/domain/7/key)"

# waiting
( sleep 0.3; xs write /t/w yes ) &
run xs wait /t/w=yes -t 60s
is "wait ends when the value is there" 0 $rc
run xs wait /t/w=no -t 200ms
is "wait gives up with status 124" 124 $rc
( sleep 0.3; xs rm /t/w ) &
run xs wait '/t/w!' -t 60s
is "wait PATH! ends when the node is gone" 0 $rc
( sleep 0.3; xs write /t/w '' ) &
run xs wait /t/w -t 60s
is "wait PATH ends when the node exists" 0 $rc

# transactions and locks
echo '{"if":{"t":{"own":null}},"then":{"t":{"own":"me"}},"else":{"t":{"late":"1"}}}' >"$dir/txn"
run xs txn "$dir/txn"
is "txn does THEN when the condition holds" "0 me" "$rc $(xs read /t/own)"
run xs txn "$dir/txn"
is "txn does ELSE when it does not, with status 1" "1 1" "$rc $(xs read /t/late)"
mkfifo "$dir/gate"
xs lock /t/lock sh -c "read -r x <'$dir/gate'" &
holder=$!
until_so xs exists /t/lock
run xs lock -n /t/lock true
is "a held lock is not given twice" 1 $rc
( sleep 0.3; echo >"$dir/gate" ) &
run xs lock -t 60s /t/lock sh -c 'exit 7'
is "a lock is given when it is free; the command's status is ours" 7 $rc
wait $holder
xs write /t/data/child kept /t/value kept /t/leased 'lock 1 0123456789abcdef'
run xs lock /t/data -- echo ran
is "a node that holds others is no lock" "1  kept" "$rc $out $(xs read /t/data/child)"
is "and that is said" "xs: /t/data: has nodes below it: a lock is a node of its own, which goes when it is free" "$err"
run xs lock -n /t/value -- echo ran
is "nor is one with a value of its own" "1  kept" "$rc $out $(xs read /t/value)"
is "which is told" "xs: /t/value: held by somebody else: its value is kept" "$err"
printf '\000x' | xs write --stdin /t/zero
run xs lock -n /t/zero -- echo ran
is "nor one that begins with a byte of zero" "1  2" "$rc $out $(xs read --raw /t/zero | wc -c)"
run xs lock -t 100ms /t/leased -- echo ran
is "what is held with a lease is held" "124  lock 1 0123456789abcdef" "$rc $out $(xs read /t/leased)"
# who sees no process of others (hidepid), or none at all, takes no lock of theirs
if unshare -m setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
	modes=$(stat -c %a "$dir" "$dir/run" "$dir/run/socket" | xargs)
	chmod 711 "$dir" "$dir/run"; chmod 666 "$dir/run/socket"; cp "$xs_prog" "$dir/xs-of-all"
	xs lock /t/hidden sh -c "read -r x <'$dir/gate'" &
	holder=$!
	until_so xs exists /t/hidden
	run unshare -m sh -c "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups '$dir/xs-of-all' lock -n /t/hidden -- echo ran"
	is "a lock whose holder is hidden is held" "1  1" "$rc $out $(echo "$err" | grep -c 'held by process')"
	run unshare -m sh -c "mount -t tmpfs none /proc && exec '$xs_prog' lock -n /t/hidden -- echo ran"
	is "without /proc there is no lock" "1  1" "$rc $out $(echo "$err" | grep -c '/proc does not tell')"
	echo >"$dir/gate"; wait $holder
	set -- $modes; chmod "$1" "$dir"; chmod "$2" "$dir/run"; chmod "$3" "$dir/run/socket"
fi
# a container that shares the socket numbers processes anew: it neither sees who holds a lock nor that it ended
if unshare --pid --fork --mount-proc true 2>/dev/null; then
	"$xs_prog" lock /t/outside sh -c "read -r x <'$dir/gate'" & holder=$!
	until_so xs exists /t/outside
	run unshare --pid --fork --mount-proc "$xs_prog" lock -n /t/outside -- echo ran
	is "a lock is held for a container, too" "1  1" "$rc $out $(echo "$err" | grep -c 'of another PID namespace')"
	run unshare --pid --fork "$xs_prog" lock -n /t/inside -- echo ran
	is "with the /proc of others there is no lock" "1  1" "$rc $out $(echo "$err" | grep -c '/proc does not tell')"
	echo >"$dir/gate"; wait $holder
	run unshare --pid --fork --mount-proc "$xs_prog" lock -n /t/outside -- echo ran
	is "and given to it when it is free" "0 ran" "$rc $out"
	unshare --pid --fork --mount-proc "$xs_prog" lock /t/inside sh -c "read -r x <'$dir/gate'" & holder=$!
	until_so xs exists /t/inside
	run xs lock -n /t/inside -- echo ran
	is "a container's lock is held for the host" "1  1" "$rc $out $(echo "$err" | grep -c 'of another PID namespace')"
	echo >"$dir/gate"; wait $holder
	run xs lock -n /t/inside -- echo ran
	is "and free when it is given back" "0 ran" "$rc $out"
fi
xs write /t/lock '999999999 1'
run xs lock -n /t/lock -- true
is "a lock whose holder died is free" 0 $rc
# ended, and nobody has asked how: its parent has become another program, before that
sh -c '{ until grep -q sleep "/proc/$$/comm"; do :; done; } & echo $! >"$1"; exec sleep 1000' sh "$dir/zombie" & parent=$!
until_so sh -c 'grep -q "^State:.Z" "/proc/$(cat "$1")/status"' sh "$dir/zombie"
zombie=$(cat "$dir/zombie")
xs write /t/lock "$zombie $(sed 's/.*) //' "/proc/$zombie/stat" | cut -d ' ' -f 20)"
run xs lock -n /t/lock -- true
is "so is one whose holder has ended, and waits for its parent" 0 $rc
kill $parent; wait $parent 2>/dev/null
is "a lock leaves no node" 1 "$(xs exists /t/lock; echo $?)"

# the daemon itself
run xs control help
is "control asks the daemon" "0 check" "$rc $(echo "$out" | grep -o '^check' | head -n 1)"
run xs control nonsense
is "an unknown control command: status 1" 1 $rc
run xs quota
is "quota lists limits" 1 "$(echo "$out" | grep -c '^nodes ')"
if [ -n "$daemon" ]; then
	run xs check
	is "check finds nothing wrong after all this" "0 OK" "$rc $out"
	xs monitor >"$dir/monitor" & monitor=$!
	until_so sh -c "'$xs_prog' write /t/first 1; grep -q 'WRITE /t/first' '$dir/monitor'"
	xs write /t/seen 1
	until_so grep -q 'WRITE /t/seen' "$dir/monitor"
	kill $monitor; wait $monitor
	is "monitor shows a write" 1 "$(grep -c 'WRITE /t/seen' "$dir/monitor")"
	run xs monitor -t 200ms
	is "monitor -t ends by itself" 0 $rc
	is "watches lists who watches" 0 "$(xs watches >/dev/null; echo $?)"
fi
# monitor whose output nobody takes
mkfifo "$dir/full"
exec 8<>"$dir/full"
"$xs_prog" monitor >"$dir/full" 2>/dev/null &
monitor=$!
stuck()
{
	xs write $(seq 1 300 | sed 's#.*#/t/monitored/& 1#')
	grep -q pipe "/proc/$monitor/wchan"
}
until_so stuck
kill $monitor
ended() { ! kill -0 $monitor 2>/dev/null; }
if comes_so ended; then pass "a monitor whose output nobody takes ends when told to"; else fail "monitor stuck"; kill -9 $monitor; fi
exec 8<&-
xs rm /t/monitored

# users by name; what is no number is nobody's row
run xs access 7 own
is "access gives a number of its own" "0 40001" "$rc $out"
xs write /config/access/user/x all /config/access/user/08 all
is "a row of something else is shown as that" "?|x" "$(xs access -j | jq -r '.[] | select(.id == "x") | "?|\(.name)"')"
is "and is not root's" "1 xs: 0: has no row (see: xs access)" "$(run xs access 0; echo "$rc $err")"
for name in "" " 7" +7 -1 0x7 4294967295; do
	run xs access -- "$name" own
	is "\"$name\" is nobody" "1 xs: $name: there is no such user" "$rc $err"
done
run xs access -r 9; is "a row that is not there is not taken away" "1 xs: 9: has no row (see: xs access)" "$rc $err"
xs rm /config/access

# a lock is the command's
xs lock /lk sh -c "echo began >>'$dir/locked'; read -r x <'$dir/gate'; echo ended >>'$dir/locked'" &
locker=$!
until_so grep -q began "$dir/locked"
kill -9 $locker; wait $locker 2>/dev/null
run xs lock -n /lk true
is "a killed xs leaves the lock to its command" "1 1" "$rc $(echo "$err" | grep -c 'held by process')"
echo >"$dir/gate"
until_so grep -q ended "$dir/locked"
until_so xs lock -n /lk true
is "and it is free when that has ended" "began ended" "$(xargs <"$dir/locked")"
xs lock /lk sleep 1000 & locker=$!
until_so xs exists /lk
holder=$(xs read /lk | cut -d ' ' -f 1)
run xs lock -t 100ms /lk sh -c "echo no >>'$dir/locked'"
is "who does not get it runs nothing" "124 0" "$rc $(grep -c no "$dir/locked")"
kill -9 "$holder"; wait $locker 2>/dev/null
run xs lock -t 30s /lk sh -c 'exit 7'
is "the status is the command's" 7 $rc
run xs lock /lk no-such-command
is "one that cannot be started: 125" 125 $rc

# waiting for several things
xs write /wait/a 1 /wait/b 1
run xs wait -t 60s /wait/a=1 /wait/b=1 /wait/none! /wait/a
is "wait: all of it is so" 0 "$rc"
run xs wait -t 2s /wait/a=1 /wait/b=2
is "wait: one of them is not" "124 1" "$rc $(echo "$err" | grep -c '/wait/b: not so')"
run xs wait -t 200ms /wait/a!=1
is "wait: !=, and it is just that" 124 "$rc"
run xs wait -t 0s /wait/a=1 /wait/none!
is "wait: without any time, what is so" "0 " "$rc $err"
run xs wait -t 0s /wait/a=2
is "wait: without any time, what is not" 124 "$rc"
run xs wait -t 200ms /wait/none!=1
is "wait: !=, and it is not there" 124 "$rc"
run xs wait -t 60s /wait/a!=2 /wait/b!=
is "wait: != holds" 0 "$rc"
xs wait -t 60s /wait/a=3 /wait/b!=1 && echo met >"$dir/met" &
waiter=$!
xs write /wait/a 3; xs write /wait/a 4; xs write /wait/b 2
is "wait: what was so before is not enough" no "$([ -e "$dir/met" ] && echo yes || echo no)"
xs write /wait/a 3
wait $waiter
is "wait: together, later" met "$(cat "$dir/met")"

# one of several nodes
xs write /wait/web/state up /wait/db/state up /wait/db/state/x down
run xs wait -t 60s '/wait/*/state=up' /wait/a
is "wait: a node that the pattern names is so" 0 "$rc"
run xs wait -t 200ms '/wait/*/state=down'
is "wait: one that it does not name is" "124 1" "$rc $(echo "$err" | grep -c '/wait/\*/state: not so')"
run xs wait -t 200ms '/wait/*/state!=up'
is "wait: none has another value" 124 "$rc"
xs wait -t 60s '/**/state=down' /wait/a=5 && echo met >"$dir/met2" &
waiter=$!
xs write /wait/db/state down; xs write /wait/db/state up; xs write /wait/a 5
is "wait: of a pattern, too, what was so before is not enough" no "$([ -e "$dir/met2" ] && echo yes || echo no)"
xs write /wait/late/state down
wait $waiter
is "wait: a node that comes later" met "$(cat "$dir/met2")"
run xs wait -t 200ms '/wait/*/state!'
is "wait: some are left" 124 "$rc"
xs wait -t 60s '/wait/*/state!' && echo met >"$dir/met3" &
waiter=$!
xs rm /wait/web /wait/db; xs rm /wait/late
wait $waiter
is "wait: none is left" met "$(cat "$dir/met3")"
xs rm /wait

# rm on a condition, and who one is
xs write /cond/a 1
run xs rm --if-value 2 /cond/a
is "rm --if-value: another value stays" "1 1 1" "$rc $(xs read /cond/a) $(echo "$err" | grep -c 'has another value')"
run xs rm --if-value 1 /cond/a
is "rm --if-value: that value goes" "0 1" "$rc $(xs exists /cond/a; echo $?)"
run xs rm --if-value 1 /cond/a
is "rm --if-value: what is not there" 1 "$rc"
run xs rm -f --if-value 1 /cond/a
is "rm --if-value and --force contradict each other" 2 "$rc"
xs rm -f /cond
run xs --version
is "xs --version" "0 1" "$rc $(echo "$out" | grep -c '^xs (Storevisor) [0-9.]*$')"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && [ -n "$daemon" ]; then
	chmod 755 "$dir"
	cp "$xs_prog" "$dir/xs-copy"; chmod 755 "$dir/xs-copy"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$dir/xs-copy" read /tool
	is "a socket that one may not use: status 4" "4 1" "$rc $(echo "$err" | grep -c 'permission denied')"
fi

plan
