#!/bin/sh
# SPDX-License-Identifier: MIT
# disk_script.sh PROGRAM XENSTORED XS BLKBACK BACKENDD - scripts that make disks, run as blkback and backendd
# run them (run_disk_script.c), and by these themselves, with the real store: Xen's contract, what is kept for
# the end, who waits for whom, and what becomes of those who are killed.
set -u
program=$(realpath "$1") xenstored=$(realpath "$2") xs=$(realpath "$3") blkback=$(realpath "$4") backendd=$(realpath "$5") n=0 failed=0
dir=$(mktemp -d /tmp/disk-script.XXXXXX)
supervisor=
trap 'kill $supervisor $store_pid 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
mkdir "$dir/run" "$dir/state"
export XENSTORED_PATH="$dir/run/socket" STOREVISOR_BACKEND_DIR="$dir/run/backend"
"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >"$dir/store.log" 2>&1 &
store_pid=$!
xs() { "$xs" "$@"; }
until_true() { for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; return 1; }
until_true xs exists /

claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/said" 2>&1; then
		echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		sed 's/^/# /' "$dir/said"
		failed=1
	fi
}
# is WANTED COMMAND...: that is all it prints.
is()
{
	wanted=$1
	shift
	got=$("$@" 2>/dev/null)
	echo "$got"
	[ "$got" = "$wanted" ]
}
not() { ! "$@"; }
fails_with() { wanted=$1; shift; ! got=$("$@" 2>/dev/null) && echo "$got" && printf '%s' "$got" | grep -qE -- "$wanted"; }
HOME_DIR=/local/domain/0/disk-script
BACKEND=/local/domain/0/backend/vbd
device_of() { sed -n 's/^DEVNAME=/\/dev\//p' "/sys/dev/block/$1/uevent"; }
# a block device of this host: nobody opens it
number=$(ls /sys/dev/block | head -n 1)
hex=$(printf '%x:%x' "${number%:*}" "${number#*:}")
device=$(device_of "$number")

script=$dir/block-test
cat >"$script" <<END
#!/bin/sh
# what it was told, and what it finds again
cd "$dir"
echo "\$1 \$script \$XENBUS_TYPE \$XENBUS_BASE_PATH \$XENBUS_PATH \$($xs read "/local/domain/0/\$XENBUS_PATH/params") \$($xs read "/local/domain/0/\$XENBUS_PATH/mode")" >>calls
case \$1 in
add)
	case \$($xs read "/local/domain/0/\$XENBUS_PATH/params") in
	bad) $xs write "/local/domain/0/\$XENBUS_PATH/hotplug-error" "no resource bad"; exit 1 ;;
	worse) echo "drbdadm: unknown" >&2; exit 1 ;;
	none) exit 0 ;;
	slow*) while [ -e hold ]; do sleep 0.05; done; echo "done \$XENBUS_PATH" >>calls ;;
	esac
	$xs write "/local/domain/0/\$XENBUS_PATH/node" kept
	$xs write "/local/domain/0/\$XENBUS_PATH/physical-device" $hex ;;
remove)
	echo "found \$($xs read "/local/domain/0/\$XENBUS_PATH/node")" >>calls
	while [ -e hold ]; do sleep 0.05; done ;;
esac
END
chmod 755 "$script"
name="script:$script:res,iqn=a b"

# offered DOMID DEVID WHAT: xend's words for a device that the script makes
offered() { xs write $BACKEND/$1/$2/params "script:$script:$3" && xs write $BACKEND/$1/$2/mode w; }
called() { grep -c -- "^$1 .*script/$2 $3" "$dir/calls"; }
offered 3 51712 "res,iqn=a b"
claim "what a script makes is the disk" is "$device" "$program" add "$name" 3 51712
claim "it is told what Xen's scripts are told" \
	is "add $script vbd backend disk-script/3/51712 res,iqn=a b w" cat "$dir/calls"
claim "a successor of the disk's process has the same, and makes nothing" is "$device" "$program" add "$name" 3 51712
claim "the script ran once" is 1 grep -c . "$dir/calls"
claim "while the device is there nothing is left" is '' "$program" left
xs rm $BACKEND/3
claim "when it is gone, that is left" is "3 51712 $script w res,iqn=a b" "$program" left
: >"$dir/hold"
"$program" remove "$name" 3 51712 >/dev/null 2>&1 &
removing=$!
until_true grep -q '^found' "$dir/calls"
offered 4 51712 "res,iqn=a b"
"$program" add "$name" 4 51712 >"$dir/second" 2>&1 &
adding=$!
until_true test -e /proc/$adding
sleep 0.3
claim "its successor of the same name waits" not grep -q '^add .*script/4/' "$dir/calls"
rm "$dir/hold"
wait $removing
wait $adding
claim "the script found again what it had kept" grep -qx 'found kept' "$dir/calls"
claim "then the successor has the disk" is "$device" cat "$dir/second"
claim "of the first nothing is kept" not xs exists $HOME_DIR/3
claim "what a device that is there is to have stays" sh -c '"$1" remove "$2" 4 51712 && "$3" exists '$HOME_DIR/4/51712/physical-device \
	sh "$program" "$name" "$xs"
xs rm $BACKEND/4
"$program" remove "$name" 4 51712 >/dev/null
calls=$(grep -c . "$dir/calls")
"$program" remove "$name" 4 51712 >/dev/null
claim "what is not there is taken away by nobody" is "$calls" grep -c . "$dir/calls"
for id in 1 2 3 4; do offered 5 $id bad; done
claim "a script's own words are the error" fails_with '^disk script .*: no resource bad$' \
	"$program" add "script:$script:bad" 5 1
claim "or its last ones" fails_with 'block-test failed: drbdadm: unknown$' "$program" add "script:$script:worse" 5 1
claim "one that succeeds and makes nothing" fails_with 'has made no block device' "$program" add "script:$script:none" 5 2
claim "what failed leaves nothing" until_true not xs exists $HOME_DIR/5/1
claim "its script has undone what it began" is 1 called remove 5/1 bad
claim "a script that is not there" fails_with '^disk script /etc/xen/scripts/block-nobody|^disk script /usr/lib/storevisor/scripts/block-nobody: No such file' \
	"$program" add script:block-nobody:x 5 3
claim "no way out of the folder of scripts" not "$program" add script:../x:y 5 4
claim "for a device that is gone nothing is made" not "$program" add "script:$script:x" 6 9
claim "nor kept" until_true not test -e "$STOREVISOR_BACKEND_DIR/script-6-9"

# Another disk in the same place, before anybody has taken away the first.
offered 6 1 one
claim "a disk is made" is "$device" "$program" add "script:$script:one" 6 1
offered 6 1 two
claim "so is another in its place" is "$device" "$program" add "script:$script:two" 6 1
claim "after the first was taken away" is 1 called remove 6/1 one
claim "by a call of its own" is 1 called add 6/1 two
"$program" remove "script:$script:one" 6 1 >/dev/null
claim "who comes late to take away the first leaves the second alone" is 0 called remove 6/1 two
claim "which is there" xs exists $HOME_DIR/6/1/physical-device
xs rm $BACKEND/6
"$program" remove "script:$script:two" 6 1 >/dev/null
claim "until it goes itself" is 1 called remove 6/1 two

# Its process is killed while the script runs.
offered 7 1 slow
: >"$dir/hold"
"$program" add "script:$script:slow" 7 1 >/dev/null 2>&1 &
killed=$!
until_true grep -q '^add .*7/1 slow' "$dir/calls"
kill -9 $killed
wait $killed 2>/dev/null
"$program" add "script:$script:slow" 7 1 >"$dir/second" 2>&1 &
second=$!
sleep 0.3
rm "$dir/hold"
wait $second
claim "the successor of one that was killed meanwhile has what that began" is "$device" cat "$dir/second"
claim "the script ran once for both" is 1 called add 7/1 slow
xs rm $BACKEND/7
"$program" remove "script:$script:slow" 7 1 >/dev/null
: >"$dir/hold"
offered 8 1 slow
"$program" add "script:$script:slow" 8 1 >/dev/null 2>&1 &
killed=$!
until_true grep -q '^add .*8/1 slow' "$dir/calls"
kill -9 $killed
wait $killed 2>/dev/null
xs rm $BACKEND/8
"$program" remove "script:$script:slow" 8 1 >/dev/null 2>&1 &
removing=$!
sleep 0.3
claim "nobody takes away what a script still makes" is 0 called remove 8/1 slow
rm "$dir/hold"
wait $removing
claim "but then" is "done disk-script/8/1" sh -c 'grep -B 1 "^remove .*8/1 slow" "$1" | head -n 1' sh "$dir/calls"
claim "nothing is kept of it" not xs exists $HOME_DIR/8
claim "nor of any lock" is '' sh -c 'ls "$1" | grep -v "^script-5-"' sh "$STOREVISOR_BACKEND_DIR"

# The disk's own process, whose connection is good for its device only.
offered 9 51712 bad
xs write $BACKEND/9/51712/frontend /local/domain/9/device/vbd/51712
xs write $BACKEND/9/51712/frontend-id 9
xs write $BACKEND/9/51712/state 1
status_of() { timeout 60 "$@" >/dev/null 2>&1; echo $?; }
claim "blkback runs the script" is 78 status_of "$blkback" -n $BACKEND/9/51712
claim "and says the script's words" is "disk script $script: no resource bad" xs read $BACKEND/9/51712/hotplug-error
until_true not xs exists $HOME_DIR/9/51712
xs rm $BACKEND/9/51712/hotplug-error
xs rm $BACKEND/9/51712/hotplug-status
rm -f "$STOREVISOR_BACKEND_DIR/script-9-51712"
mkdir "$STOREVISOR_BACKEND_DIR/script-9-51712"
claim "what is no fault of the disk's is tried again" is 75 status_of "$blkback" -n $BACKEND/9/51712
claim "and refuses nothing" not xs exists $BACKEND/9/51712/hotplug-status
xs rm $BACKEND/9

# The supervisor, whose disk processes are not confined here: there may be no such user.
mkdir "$dir/programs" "$dir/sys"
printf '#!/bin/sh\nexec %s -n "$@"\n' "$blkback" >"$dir/programs/blkback"
chmod 755 "$dir/programs/blkback"
"$backendd" -l "$dir/programs" -s "$dir/sys" 2>"$dir/backendd.log" &
supervisor=$!
offered 10 1 life
xs write $BACKEND/10/1/mode r
xs write $BACKEND/10/1/state 1
xs write $BACKEND/10/1/frontend-id 10
xs write $BACKEND/10/1/frontend /local/domain/10/device/vbd/1
claim "a device that is offered is made" until_true xs exists $HOME_DIR/10/1/physical-device
claim "its process goes on or is refused" until_true xs exists $BACKEND/10/1/hotplug-status
xs rm $BACKEND/10
claim "when it goes the supervisor has it taken away" until_true not xs exists $HOME_DIR/10
claim "by its script" is 1 called remove 10/1 life
kill $supervisor
wait $supervisor
offered 11 1 late
"$program" add "script:$script:late" 11 1 >/dev/null
xs rm $BACKEND/11
"$backendd" -l "$dir/programs" -s "$dir/sys" 2>>"$dir/backendd.log" &
supervisor=$!
claim "so has one that starts, of what went meanwhile" until_true not xs exists $HOME_DIR/11
claim "once" is 1 called remove 11/1 late
echo "1..$n"
exit $failed
