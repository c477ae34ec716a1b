#!/bin/sh
# SPDX-License-Identifier: MIT
# live.sh XENSTORED XM XS XEND_FAKE - xm as a program, over our own store daemon and client library, with the real xend
# on a machine in memory: what users and the integrations of others (Pacemaker's Xen agent, Ganeti) call, and how it ends.
set -u
xenstored=$(realpath "$1") xm_prog=$(realpath "$2") xs_prog=$(realpath "$3") xend_fake=$(realpath "$4") n=0 failed=0
dir=$(mktemp -d /tmp/xm-live.XXXXXX)
trap 'kill $store_pid 2>/dev/null; exec 9>&-; wait 2>/dev/null; rm -rf "$dir"' EXIT
ln -s "$xm_prog" "$dir/xm"
ln -s "$xm_prog" "$dir/xl"
ln -s "$xs_prog" "$dir/xs"
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
manage()
{
	"$xend_fake" "$dir/kernel" 320 <"$dir/life" >"$dir/ready" 2>>"$dir/xend.log" &
	xend_pid=$!
	exec 9>"$dir/life"
	until_true grep -q ready "$dir/ready"
}
# Without its store it would end, and init start it anew.
leave()
{
	exec 9>&-
	wait $xend_pid 2>/dev/null
}
manage

echo disk >"$dir/disk.img"
cat >"$dir/web.cfg" <<EOF
name = "web"
memory = 16
kernel = "$dir/kernel"
disk = [ 'file:$dir/disk.img,xvda,w' ]
vif = [ '' ]
EOF

claim "create" xm create "$dir/web.cfg"
claim "Pacemaker's start: create FILE name=\"N\"" xl create "$dir/web.cfg" 'name="two"' 'disk=[]'
claim "Pacemaker's status: list NAME" xl list web
claim "Pacemaker's status of what does not run fails" not xl list nobody
claim "Pacemaker's memory: the second line's columns" sh -c '[ "$(xl list web | awk "NR==2 {print \$4,\$3}")" = "1 16" ]'
claim "Pacemaker's free memory: ^total_memory" sh -c 'xl info | grep -q "^total_memory"'
claim "Ganeti's list: six columns, numbers where it wants them" sh -c '
	xl list | awk "NR > 1 && (NF != 6 || \$2 !~ /^[0-9]+\$/ || \$3 !~ /^[0-9]+\$/ || \$4 !~ /^[0-9]+\$/ || \$6 !~ /^[0-9.]+\$/) { bad = 1 } END { exit bad }"'
claim "mem-set" xm mem-set -f two 12
claim "a pipe that closes early is no crash" sh -c 'xm help | head -n 1'
claim "five creates at once each get what they asked for" sh -c '
	for i in 1 2 3 4 5; do xm create -q '"$dir"'/web.cfg name=p$i & done; wait
	for i in 1 2 3 4 5; do xm domid p$i || exit 1; done'
claim "the ids differ" sh -c '[ "$(xm list | awk "{ print \$2 }" | sort | uniq -d | wc -l)" = 0 ]'
claim "of two creates of one name one wins" sh -c '
	xm create -q '"$dir"'/web.cfg name=race 2>/dev/null & a=$!; xm create -q '"$dir"'/web.cfg name=race 2>/dev/null; b=$?
	wait $a; [ $(($? + b)) = 1 ]'
claim "shutdown -a -w ends them all" timeout 100 xm shutdown -a -w
claim "only the host is left" sh -c '[ "$(xm list | wc -l)" = 2 ]'
xs write /test/hold 1
xm create -q "$dir/web.cfg" name=slow 2>"$dir/slow.out" 9>&- &
slow=$!
until_true sh -c 'xs read /status/domain/slow/step 2>/dev/null | grep -q backends'
kill -INT $slow
claim "Ctrl-C during create leaves nothing" until_true sh -c '! xm list -a slow'
xm create -q "$dir/web.cfg" name=patient >"$dir/patient.out" 2>&1 9>&- &
patient=$!
until_true sh -c 'xm list -a patient >/dev/null 2>&1'
leave
kill -9 $store_pid
wait $store_pid 2>/dev/null
"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >>"$dir/store.log" 2>&1 &
store_pid=$!
claim "a killed store comes back with everything in it" until_true sh -c 'xm list -a patient >/dev/null 2>&1'
manage
claim "and xm still waits for its domain" kill -0 $patient
kill -INT $patient
claim "until Ctrl-C, which leaves nothing" until_true sh -c '! xm list -a patient'
claim "new" xm new "$dir/web.cfg"
leave
kill $store_pid
wait $store_pid 2>/dev/null
rm -f "$dir/run/socket"
"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >>"$dir/store.log" 2>&1 &
store_pid=$!
until_true serves
manage
claim "a stored record survives the daemon" xm list -a web
claim "export gives it back" sh -c 'xm export web | grep -q "memory  *= 16"'
claim "delete" xm delete web
echo "1..$n"
[ $failed = 0 ] || sed 's/^/# store: /' "$dir/store.log" | tail -n 5
exit $failed
