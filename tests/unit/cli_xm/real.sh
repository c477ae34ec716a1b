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
until_true() { for _ in $(seq 4800); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; return 1; }
state_is() { [ "$(xs read "/status/domain/$1/state" 2>/dev/null)" = "$2" ]; }
has_not_id() { [ "$(xs read "/status/domain/$1/domid" 2>/dev/null)" != "$2" ]; }

mkdir "$dir/run" "$dir/state"
serve()
{
	"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >>"$dir/store.log" 2>&1 &
	store_pid=$!
	until_true xs exists /
}
manage()
{
	"$xend_fake" "$dir/kernel" 128 <"$dir/life" >"$dir/ready" 2>>"$dir/xend.log" &
	xend_pid=$!
	exec 9>"$dir/life"
	until_true grep -q ready "$dir/ready"
}
mkfifo "$dir/life"
serve
manage
echo disk >"$dir/disk.img"
cat >"$dir/web.cfg" <<EOF
name = "web"
memory = 16
kernel = "$dir/kernel"
disk = [ 'file:$dir/disk.img,xvda,w' ]
vif = [ '' ]
EOF

claim_says "an error in JSON is one object" '^\{"error":"there is no domain .nobody.","code":1\}$' xm pause -j nobody
claim "and nothing beside it" sh -c '[ -z "$(xm pause -j nobody 2>/dev/null)" ]'
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

# the files of Xen's tools
mkdir "$dir/auto"
printf 'vif.default.bridge = "br7"\nclaim_mode = 1\n' >"$dir/xl.conf"
printf '# xend\n(dom0-min-mem 196)\n(vif-script vif-bridge)\n' >"$dir/xend.sxp"
sed 's/"web"/"mail"/; s/vif = .*//' "$dir/web.cfg" >"$dir/auto/mail.cfg"
ln -s "$dir/web.cfg" "$dir/auto/web.cfg"
printf 'vif.default.brigde = "br8"\nvif.default.bridge = "br9"\n' >"$dir/wrong.conf"
host() { xm import-host "$@" "$dir/xend.sxp" "$dir/xl.conf" "$dir/auto"; }
claim_says "import-host -n says what would become of each" 'xl.conf:1 +vif.default.bridge +br7 +taken +/config/network/bridge$' host -n
claim "and changes nothing" sh -c '! xs exists /config/host/dom0_min_mem && ! xs exists /config/domain/mail'
claim_says "an unknown name is told with its place" 'wrong.conf:1:1: unknown name .*did you mean' xm import-host "$dir/wrong.conf"
claim "and nothing of its file is taken" sh -c '! xs exists /config/network/bridge'
claim_says "import-host" 'auto/mail.cfg +name +mail +taken ' host
claim "the host's keys are there" sh -c '[ "$(xs read /config/host/dom0_min_mem) $(xs read /config/network/bridge)" = "196 br7" ]'
claim "a domain of auto starts with the host" sh -c '[ "$(xs read /config/domain/mail/autostart) $(xs read /config/domain/mail/persistent)" = "1 1" ]'
claim "a card without a bridge has the host's" sh -c '[ "$(xs read /config/domain/web/vif/0/bridge)" = br7 ]'
claim_says "once more: what is there is kept" 'auto/mail.cfg +name +mail +kept +there is a domain of that name' host
claim_says "and -n says so" 'auto/mail.cfg +name +mail +kept ' host -n
xs write /config/network/bridge br8
claim_says "what was set since stays" 'vif.default.bridge +br7 +kept +/config/network/bridge is br8 and stays so$' host
claim "and nothing of it was written" sh -c '[ "$(xs read /config/network/bridge)" = br8 ]'
xs rm /config/network/bridge
mkdir "$dir/odd" "$dir/odd/old"
mkfifo "$dir/odd/a-pipe"
ln -s nowhere "$dir/odd/b-broken"
ln -s c-loop "$dir/odd/c-loop"
sed 's/"mail"/"one"/' "$dir/auto/mail.cfg" >"$dir/odd/d.cfg"
sed 's/"mail"/"one"/' "$dir/auto/mail.cfg" >"$dir/odd/e.cfg"
head -c 1100000 /dev/zero | tr '\0' '#' >"$dir/odd/f-huge"
printf 'name = "nul\0"\n' >"$dir/odd/g-nul"
odd() { timeout 20 "$dir/xm" import-host "$@" "$dir/odd"; }
claim_says "of two files of one domain the first is taken, says -n too" 'odd/e.cfg +name +one +kept ' odd -n
claim_says "what is no file is told" 'odd/old is no file' odd
claim "a pipe is not waited for" grep -q "odd/a-pipe is no file" "$dir/said"
claim "so are links to nothing and in circles" sh -c 'grep -q "odd/b-broken: No such" "$1" && grep -q "odd/c-loop: Too many" "$1"' - "$dir/said"
claim "and what is too large, or no text" sh -c 'grep -q "odd/f-huge: .*too many" "$1" && grep -q "odd/g-nul:1:" "$1"' - "$dir/said"
claim "and the others are taken" xs exists /config/domain/one
xm delete one
xm delete mail && xm delete web

# the disk's files are damaged, all of them: what comes back is nobody's word, and starts nothing
sed 's/"web"/"mail"/; s/vif = .*//' "$dir/web.cfg" >"$dir/mail.cfg"
claim "define" xm new "$dir/mail.cfg"
exec 9>&-
wait $xend_pid 2>/dev/null
# without autostart: a boot would switch it off, but leaves what was brought back as it is
xs write /config/domain/mail/power on
# a start makes what it finds an earlier state
for _ in 1 2; do kill $store_pid; wait $store_pid 2>/dev/null; serve; done
kill $store_pid; wait $store_pid 2>/dev/null
# the daemon's worker ends after it, with what was acknowledged on the disk: nobody writes behind our back then
flock "$dir/state/store" true
rm -rf "$dir/run/live"; rm -f "$dir"/state/store/log-*
truncate -s 9000 "$dir/state/store/data.mdb"
serve
manage
claim "the record is there again" xs exists /config/domain/mail
claim_says "the store says that something is not as it was" '^degraded$' xs read /status/store
claim_says "so does xm doctor" '^BAD  the store has lost something' xm doctor
claim "nothing is started for it" until_true sh -c 'xs read /status/domain/mail/error | grep -q "lost known"'
claim "it does not run" sh -c '[ "$(xs read /status/domain/mail/state)" = defined ]'
claim "until that is known" xs control lost known
claim "then it starts" until_true state_is mail running
claim_says "and the store is whole" '^whole$' xs read /status/store
claim "destroy it" xm destroy mail
echo "1..$n"
[ $failed = 0 ] || sed 's/^/# xend: /' "$dir/xend.log" | tail -n 30
exit $failed
