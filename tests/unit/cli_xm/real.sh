#!/bin/sh
# SPDX-License-Identifier: MIT
# real.sh XENSTORED XM XS XEND_FAKE - xm with the real xend, which runs on a machine in memory: what an operator sees of a
# domain that starts, crashes, is gone.
set -u
xenstored=$(realpath "$1") xm_prog=$(realpath "$2") xs_prog=$(realpath "$3") xend_fake=$(realpath "$4") n=0 failed=0
dir=$(mktemp -d /tmp/xm-real.XXXXXX)
trap 'exec 9>&-; kill $store_pid 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
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
# claim_says TEXT PATTERN COMMAND...: the command's output, or what it says is wrong, has the pattern.
claim_says()
{
	text=$1 pattern=$2
	shift 2
	"$@" >"$dir/said" 2>&1
	claim "$text" grep -E "$pattern" "$dir/said"
	[ $failed = 0 ] || sed 's/^/# said: /' "$dir/said"
}
until_true() { for _ in $(seq 1200); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; return 1; }
state_is() { [ "$(xs read "/status/domain/$1/state" 2>/dev/null)" = "$2" ]; }
has_not_id() { [ "$(xs read "/status/domain/$1/domid" 2>/dev/null)" != "$2" ]; }

mkdir "$dir/run" "$dir/state"
"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >"$dir/store.log" 2>&1 &
store_pid=$!
until_true xs exists /
mkfifo "$dir/life"
"$xend_fake" "$dir/kernel" 128 <"$dir/life" >"$dir/ready" 2>"$dir/xend.log" &
exec 9>"$dir/life"
until_true grep -q ready "$dir/ready"
echo disk >"$dir/disk.img"
cat >"$dir/web.cfg" <<EOF
name = "web"
memory = 16
kernel = "$dir/kernel"
disk = [ 'file:$dir/disk.img,xvda,w' ]
vif = [ '' ]
EOF

claim "create" xm create "$dir/web.cfg"
claim_says "what its kernel needs to start is told" "^[1-9][0-9]*$" xs read /status/domain/web/start_kib
claim_says "less than it can live with is refused" "less than a kernel made for 16 MiB" xm mem-set web 4
claim_says "list" '^web +1 +16 ' xm list
claim "a reboot of the guest is waited for" xm reboot -w web
claim "destroy" xm destroy web
claim_says "why, though it was transient and is gone" 'web is gone since .*: destroy$' xm why web

# one whose devices do not come up
xs write /test/hold 1
xm create -q "$dir/web.cfg" name=slow &
creating=$!
until_true sh -c 'xs read /status/domain/slow/step | grep -q backends'
kill -9 $creating
wait $creating 2>/dev/null
claim_says "a domain that starts is listed" '^slow ' xm list
claim "and can be ended, though its xm create was killed" xm destroy slow
claim_says "it is not there" "no domain 'slow'" xm list -a slow
xs rm /test/hold

# one that crashes again and again
claim "new" xm new "$dir/web.cfg" name=loop on_crash=restart
claim "start" xm start loop
for _ in 1 2 3 4 5 6; do
	until_true state_is loop running
	id=$(xs read /status/domain/loop/domid)
	xs write "/local/domain/$id/control/shutdown" crash
	until_true has_not_id loop "$id"
done
until_true state_is loop crashed
claim_says "why it is not started again" 'crashed 6 times within a minute of its start: not started again' xm why loop
claim "delete" xm delete loop
until_true sh -c "! xs exists /status/domain/loop"
claim_says "and why, after it is gone" 'loop is gone .*crashed 6 times' xm why loop

# what was set while it ran counts after a reboot
claim "create with a share of the CPUs" xm create "$dir/web.cfg" name=pinned cpus=0-1,^0 cpu_weight=512
claim "sched-credit" xm sched-credit -d pinned -c 50
claim "vcpu-pin" xm vcpu-pin pinned all 0
claim "reboot" xm reboot -w pinned
claim_says "weight and cap are what they were" '^pinned +[0-9]+ +512 +50$' xm sched-credit -d pinned
claim_says "and so are the pins" ' 0 / all$' xm vcpu-list pinned
claim "shutdown -w" xm shutdown -w pinned
claim "nothing is left" sh -c '[ "$(xm list | wc -l)" = 2 ]'
echo "1..$n"
[ $failed = 0 ] || sed 's/^/# xend: /' "$dir/xend.log" | tail -n 30
exit $failed
