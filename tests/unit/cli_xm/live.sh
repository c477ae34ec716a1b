#!/bin/sh
# SPDX-License-Identifier: MIT
# live.sh XENSTORED XM FAKE_XEND - xm as a program, over our own store daemon and client library, with the stand-in for
# xend: what users and the integrations of others (Pacemaker's Xen agent, Ganeti) call, and how it ends.
set -u
xenstored=$(realpath "$1") xm_prog=$(realpath "$2") fake_xend=$(realpath "$3") n=0 failed=0
dir=$(mktemp -d /tmp/xm-live.XXXXXX)
trap 'kill $store_pid 2>/dev/null; exec 9>&-; wait 2>/dev/null; rm -rf "$dir"' EXIT
ln -s "$xm_prog" "$dir/xm"
ln -s "$xm_prog" "$dir/xl"
PATH=$dir:$PATH XENSTORED_PATH=$dir/run/socket
export PATH XENSTORED_PATH

# claim TEXT COMMAND...: one test point.
claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>"$dir/err"; then
		echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		sed 's/^/# /' "$dir/out" "$dir/err"
		failed=1
	fi
}

not() { ! "$@"; }
until_true() { for _ in $(seq 4800); do "$@" && return; sleep 0.05; done; return 1; }
# A socket is there before somebody listens at it.
serves() { grep -q "00010000 .* $dir/run/socket\$" /proc/net/unix; }

mkdir "$dir/run" "$dir/state"
claim "without a store xm says where it looked" sh -c '! xm list 2>&1 | grep -v "cannot reach the store at $XENSTORED_PATH"'
claim "help needs no store" xm help
"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >"$dir/store.log" 2>&1 &
store_pid=$!
until_true serves
mkfifo "$dir/life"
"$fake_xend" <"$dir/life" >"$dir/xend.log" 2>&1 &
exec 9>"$dir/life"
until_true sh -c 'xm domid Domain-0 >/dev/null 2>&1'

echo kernel >"$dir/kernel"
echo disk >"$dir/disk.img"
cat >"$dir/web.cfg" <<EOF
name = "web"
memory = 128
kernel = "$dir/kernel"
disk = [ 'file:$dir/disk.img,xvda,w' ]
vif = [ '' ]
EOF

claim "create" xm create "$dir/web.cfg"
claim "Pacemaker's start: create FILE name=\"N\"" xl create "$dir/web.cfg" 'name="two"' 'disk=[]'
claim "Pacemaker's status: list NAME" xl list web
claim "Pacemaker's status of what does not run fails" not xl list nobody
claim "Pacemaker's memory: the second line's columns" sh -c '[ "$(xl list web | awk "NR==2 {print \$4,\$3}")" = "1 128" ]'
claim "Pacemaker's free memory: ^total_memory" sh -c 'xl info | grep -q "^total_memory"'
claim "Ganeti's list: six columns, numbers where it wants them" sh -c '
	xl list | awk "NR > 1 && (NF != 6 || \$2 !~ /^[0-9]+\$/ || \$3 !~ /^[0-9]+\$/ || \$4 !~ /^[0-9]+\$/ || \$6 !~ /^[0-9.]+\$/) { bad = 1 } END { exit bad }"'
claim "mem-set" xl mem-set two 96
claim "a pipe that closes early is no crash" sh -c 'xm help | head -n 1'
claim "five creates at once each get what they asked for" sh -c '
	for i in 1 2 3 4 5; do xm create -q '"$dir"'/web.cfg name=p$i & done; wait
	for i in 1 2 3 4 5; do xm domid p$i || exit 1; done'
claim "the ids differ" sh -c '[ "$(xm list | awk "{ print \$2 }" | sort | uniq -d | wc -l)" = 0 ]'
claim "of two creates of one name one wins" sh -c '
	xm create -q '"$dir"'/web.cfg name=race 2>/dev/null & a=$!; xm create -q '"$dir"'/web.cfg name=race 2>/dev/null; b=$?
	wait $a; [ $(($? + b)) = 1 ]'
claim "the console answers a script" sh -c 'printf "hi\n" | xm console --idle 3 web | grep -q "heard hi"'
timeout -s INT 0.5 xm create -q "$dir/web.cfg" name=slow extra=fake=hang
claim "Ctrl-C during create leaves nothing" until_true sh -c '! xm list -a slow'
xm create -q "$dir/web.cfg" name=patient extra=fake=hang >"$dir/patient.out" 2>&1 &
patient=$!
until_true sh -c 'xm list -a patient >/dev/null 2>&1'
kill -9 $store_pid
wait $store_pid 2>/dev/null
"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >>"$dir/store.log" 2>&1 &
store_pid=$!
claim "a killed store comes back with everything in it" until_true sh -c 'xm list -a patient >/dev/null 2>&1'
claim "and xm still waits for its domain" kill -0 $patient
kill -INT $patient
claim "until Ctrl-C, which leaves nothing" until_true sh -c '! xm list -a patient'
claim "shutdown -a -w ends them all" timeout 100 xm shutdown -a -w
claim "only the host is left" sh -c '[ "$(xm list | wc -l)" = 2 ]'
claim "new" xm new "$dir/web.cfg"
kill $store_pid
wait $store_pid 2>/dev/null
rm -f "$dir/run/socket"
"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >>"$dir/store.log" 2>&1 &
store_pid=$!
until_true serves
claim "a stored record survives the daemon" xm list -a web
claim "export gives it back" sh -c 'xm export web | grep -q "memory  *= 128"'
claim "delete" xm delete web
echo "1..$n"
[ $failed = 0 ] || sed 's/^/# store: /' "$dir/store.log" | tail -n 5
exit $failed
