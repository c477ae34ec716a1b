#!/bin/sh
# SPDX-License-Identifier: MIT
# disk_script.sh PROGRAM XENSTORED XS - scripts that make disks, run as blkback and backendd run them
# (run_disk_script.c), with the real store: Xen's contract, what is kept for the end, who waits for whom.
set -u
program=$(realpath "$1") xenstored=$(realpath "$2") xs=$(realpath "$3") n=0 failed=0
dir=$(mktemp -d /tmp/disk-script.XXXXXX)
trap 'kill $store_pid 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
mkdir "$dir/run" "$dir/state"
export XENSTORED_PATH="$dir/run/socket"
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

xs write $BACKEND/3/51712/params "$name"
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
"$program" remove "$name" 4 51712 >/dev/null
calls=$(grep -c . "$dir/calls")
"$program" remove "$name" 4 51712 >/dev/null
claim "what is not there is taken away by nobody" is "$calls" grep -c . "$dir/calls"
claim "a script's own words are the error" fails_with '^disk script .*: no resource bad$' \
	"$program" add "script:$script:bad" 5 1
claim "or its last ones" fails_with 'block-test failed: drbdadm: unknown$' "$program" add "script:$script:worse" 5 1
claim "one that succeeds and makes nothing" fails_with 'has made no block device' "$program" add "script:$script:none" 5 2
claim "what failed leaves nothing" not xs exists $HOME_DIR/5/1
claim "a script that is not there" fails_with '^disk script /etc/xen/scripts/block-nobody|^disk script /usr/lib/storevisor/scripts/block-nobody: No such file' \
	"$program" add script:block-nobody:x 5 3
claim "no way out of the folder of scripts" not "$program" add script:../x:y 5 4
echo "1..$n"
exit $failed
