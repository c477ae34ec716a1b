#!/bin/sh
# SPDX-License-Identifier: MIT
# In dom0: another program takes blkback's place under a running guest and tries everything that
# the guest might.
. /mnt/dom0/lib.sh
LIB=/usr/lib/storevisor
LOG=/var/log/xen/backendd.log

pid_of() { ps -o pid,comm | awk -v name="$1" '$2 == name { print $1; exit }'; }

# powerless NAME: no user 0, no capability, a system call filter, no way to get more.
powerless()
{
	status=/proc/$(pid_of "$1")/status
	cat "$status"
	grep -q 'Uid:.991.991.991.991' "$status" && grep -q 'Gid:.991.991.991.991' "$status" &&
		grep -q 'CapEff:.0000000000000000' "$status" && grep -q 'CapPrm:.0000000000000000' "$status" &&
		grep -q 'Seccomp:.2' "$status" && grep -q 'NoNewPrivs:.1' "$status"
}

# no_device NAME: none of its descriptors is the kernel's own connection to the store.
no_device() { ! readlink /proc/"$(pid_of "$1")"/fd/* | grep xenbus; }

# As on a Debian: udev loads the kernel's driver for a new device, but for those that are ours.
mkdir -p /run/udev/rules.d /lib/systemd
cp /mnt/udev/rules/* /run/udev/rules.d/
ln -s /mnt/udev/bin/udevadm /tmp/systemd-udevd
udev() { LD_LIBRARY_PATH=/mnt/udev/lib/x86_64-linux-gnu "$@"; }
udev /tmp/systemd-udevd --daemon >/tmp/udev.log 2>&1
claim "udev runs" until_true 10 test -S /run/udev/control

claim "a guest is created" xm create /etc/xen/cloud.cfg
claim "it comes up" hears cloud 90 'guest: ready'
for name in blkback netback consback; do
	claim "$name has no rights" powerless $name
	claim "$name holds no connection of domain 0's" no_device $name
done
claim "its requests go by io_uring" grep -q 'by io_uring' $LOG
udev /mnt/udev/bin/udevadm settle
claim "udev heard of its devices, and loaded no driver of the kernel's for them" \
	sh -c '[ -d /sys/bus/xen-backend/devices/vbd-* ] && [ ! -e /sys/bus/xen-backend/drivers/vbd ] && [ ! -e /sys/bus/xen-backend/drivers/vif ]'
types cloud 'dd if=/dev/urandom of=/mnt/f bs=64k count=16 2>/dev/null; sync; echo before $(sha256sum </mnt/f)'
claim "the guest's disk works" hears cloud 60 '^before [0-9a-f]{64}'

xs write /config/domain/victim/kernel /boot/vmlinuz
xs write /tool/secret s
cp $LIB/blkback /tmp/blkback
cp "$(find /mnt -name taken_blkback | head -n 1)" $LIB/blkback.new
mv $LIB/blkback.new $LIB/blkback
claim "the disk's process is taken over" kill -9 "$(pid_of blkback)"
claim "it tries everything" until_true 30 grep -q 'taken: [0-9]* tried' $LOG
cp /tmp/blkback $LIB/blkback.new
mv $LIB/blkback.new $LIB/blkback
claim "it tries more than twenty things, and nothing succeeds" grep -qE 'taken: ([3-9][0-9]|2[1-9]) tried, 0 succeeded' $LOG
claim "each time" sh -c '! grep -E "NOT WITHHELD|taken: [0-9]* tried, [1-9]" '$LOG
same "another's record is what it was" /boot/vmlinuz "$(xs read /config/domain/victim/kernel)"

types cloud 'echo after $(sha256sum </mnt/f); dd if=/dev/zero of=/mnt/g bs=64k count=16 2>/dev/null; sync && echo written'
claim "a new process goes on with the disk" hears cloud 60 '^written'
claim "the data is what it was" hears cloud 10 "^after $(grep -aoE '^before [0-9a-f]{64}' "$(log_of cloud)" | cut -c 8-71)"
xs rm /config/domain/victim

centis() { cut -d ' ' -f 1 /proc/uptime | tr -d .; }
ticks() { grep -acE '^tick' "$(log_of cloud)"; }

# Not a second by the clock each time: a guest's write ends when the host's disk has it, and what the
# machine waits for while it is idle takes as long as the host lets it. So each time that a process is
# killed the same work is timed without that just before, the middle of those times is a measure for
# the other, and what backendd waits of its own accord is read from its log. That grew to five
# seconds, and the times with it.
CALM=/tmp/calm TOOK=/tmp/took

# middle FILE [LAST]: of its numbers, or of the LAST ones, the middle one.
middle() { tail -n "${2:-99}" "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# waits NAME: the longest that backendd waited before it started one of NAME anew since mark, in ms.
mark() { marked=$(wc -l <$LOG); : >$CALM; : >$TOOK; }
waits()
{
	tail -n +$((marked + 1)) $LOG | sed -n "s/.*: $1 .*: restarting in \([0-9]*\) ms.*/\1/p" |
		awk '{ n++; if ($1 > most) most = $1 } END { print (n >= 20 ? most : 99999) }'
}

# back_soon NAME: what the claims of both devices are.
back_soon()
{
	calm=$(middle $CALM) early=$(middle $TOOK) late=$(middle $TOOK 10) waited=$(waits "$1")
	echo "# $1: undisturbed $(tr '\n' ' ' <$CALM)"
	echo "# $1: killed $(tr '\n' ' ' <$TOOK)"
	claim "its process is started anew within a fifth of a second each time ($waited ms at most)" test "$waited" -le 200
	claim "within a second, and what the same takes undisturbed: of all twenty times in the middle ($((early * 10)) ms, undisturbed $((calm * 10)))" \
		test "$early" -le $((100 + 4 * calm))
	claim "and of the last ten ($((late * 10)) ms)" test "$late" -le $((100 + 4 * calm))
}

# written ROUND FILE: waits until two more writes of the guest, one of them begun afterwards, are on
# the disk; keeps the time since then in FILE.
written()
{
	until [ "$(ticks)" -ge $((before + 2)) ]; do
		[ $(($(centis) - began)) -lt 6000 ] || { echo "round $1: no write in a minute"; return 1; }
		usleep 20000
	done
	echo $(($(centis) - began)) >>"$2"
}

# survives ROUND NAME: the same once undisturbed, and once while NAME's process is killed.
survives()
{
	before=$(ticks) began=$(centis)
	written "$1" $CALM || return 1
	before=$(ticks) began=$(centis)
	kill -9 "$(pid_of "$2")" && written "$1" $TOOK
}

types cloud 'while [ ! -e /tmp/stop ]; do dd if=/dev/zero of=/mnt/t bs=4k count=4 conv=fsync 2>/dev/null && echo tick; usleep 50000; done &'
claim "the guest writes" hears cloud 30 '^tick' 3
mark
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	claim "kill $round of the disk's process: writing goes on" survives $round blkback
done
back_soon blkback
types cloud 'touch /tmp/stop'

# answered FILE: asks the guest every 50 ms until it has answered one of all, and keeps the time since
# began in FILE; ping's own patience is whole seconds. An answer to an earlier question is none to this.
asked=0
answered()
{
	asked=$((asked + 1)) answer=/tmp/answer.$asked
	until [ -e $answer ]; do
		[ $(($(centis) - began)) -lt 6000 ] || { echo "no answer in a minute"; return 1; }
		{ ping -c 1 -W 1 10.0.0.3 >/dev/null 2>&1 && : >$answer; } &
		usleep 50000
	done
	echo $(($(centis) - began)) >>"$1"
}

# reached_again: the same of netback and a packet to and fro.
reached_again()
{
	began=$(centis)
	answered $CALM || return 1
	killed=$(pid_of netback) began=$(centis)
	kill -9 "$killed" || return 1
	while [ -d "/proc/$killed" ]; do usleep 1000; done
	answered $TOOK
}

began=$(centis)
claim "the guest answers" answered /tmp/first
mark
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	claim "kill $round of the card's process: the guest answers" reached_again
done
back_soon netback

# lists: wherever a device is entered.
domid=$(xm domid cloud)
lists()
{
	xs ls -f /config/domain/cloud
	xs ls -f "/local/domain/$domid/device" | grep -v /state
	xs ls -f /local/domain/0/backend | grep -v /state
	xm block-list cloud
	xm network-list cloud
	ls /run/xen/backend
	ps -o comm | grep -cE 'blkback|netback|consback'
}
before=$(lists)
claim "a disk without an image is refused" fails_with 'none.img.*No such file' xm block-attach cloud file:/data/none.img xvdc w
claim "so is a card without its bridge" fails_with 'nosuch' xm network-attach cloud bridge=nosuch
as_before() { [ "$before" = "$(lists)" ]; }
until_true 10 as_before >/dev/null 2>&1 || : # a process may still be ending; what stays, the next line says
same "neither left anything in any list" "$before" "$(lists)"

# What xm's manual says of a guest's driver, from that driver.
dd if=/dev/zero of=/data/more.img bs=1M count=4 2>/dev/null
claim "another disk is attached" xm block-attach cloud file:/data/more.img xvdb w
types cloud 'until [ -b /dev/xvdb ]; do usleep 100000; done; sleep 1000 </dev/xvdb & sleep 1; echo in use'
claim "the guest holds it open" hears cloud 20 '^in use'
dd if=/dev/zero of=/data/more.img bs=1M count=0 seek=8 2>/dev/null
xs write "/local/domain/0/backend/vbd/$domid/51728/looked-at" 1
types cloud 'until [ "$(cat /sys/block/xvdb/size)" = 16384 ]; do usleep 100000; done; echo grown'
claim "an image made longer is longer in the guest, while it is in use" hears cloud 20 '^grown'
claim "Debian's kernel lets a disk go that is in use" xm block-detach cloud xvdb
types cloud 'while [ -e /sys/block/xvdb ]; do usleep 100000; done; echo let go'
claim "it is gone from the guest" hears cloud 20 '^let go'

# A disk that a script makes: Debian's block-dummy, of a loop device.
modprobe loop
(cd /opt/debian/scripts && cp block* xen-*.sh hotplugpath.sh logging.sh locking.sh /etc/xen/scripts/) # and no vif-common.sh: ours is there
not() { ! "$@"; }
looped() { losetup -a | grep -q /data/more.img; }
claim "a disk that a script makes is attached" \
	xm block-attach cloud script=block-dummy,vdev=xvdc,target=dummy:/data/more.img
claim "the script has made a loop device" looped
types cloud 'until [ -b /dev/xvdc ]; do usleep 100000; done; echo made $(cat /sys/block/xvdc/size)'
claim "it is the guest's disk" hears cloud 20 '^made 16384'
process=$(ps -o pid,args | awk '/[b]ack .*vbd\/'"$domid"'\/51744/ { print $1; exit }')
kill -9 "$process"
types cloud 'dd if=/dev/xvdc of=/dev/null bs=1M count=1 iflag=direct 2>/dev/null && echo served again'
claim "its process's successor has the same" hears cloud 30 '^served again'
same "made once" 1 "$(losetup -a | grep -c /data/more.img)"
claim "it is detached" xm block-detach cloud xvdc
claim "the script has taken it away" until_true 20 not looped
claim "nothing of it is kept" until_true 20 not xs exists "/local/domain/0/disk-script/$domid"
claim "a script that fails says why" fails_with 'none.img does not exist' \
	xm block-attach cloud script=block-dummy,vdev=xvdd,target=dummy:/data/none.img
claim "with such a disk attached" xm block-attach cloud script=block-dummy,vdev=xvdc,target=dummy:/data/more.img
claim "the guest shuts down" xm shutdown -w cloud
claim "which takes away what the script made" until_true 20 not looped

# Without our rule, and with a driver that somebody loaded: two backends of a disk would destroy it,
# and the guest would say nothing.
rm /run/udev/rules.d/60-storevisor-backends.rules
udev /mnt/udev/bin/udevadm control --reload
modprobe xen-blkback
claim "a guest whose disk the kernel would take, too, is refused" \
	fails_with 'rmmod xen-blkback' xm create /etc/xen/cloud.cfg
claim "without the rule udev loads the kernel's driver for a card" until_true 10 test -d /sys/bus/xen-backend/drivers/vif
claim "xm doctor names both" sh -c '[ "$(xm doctor | grep -c "^BAD.*rmmod xen-")" = 2 ]'
rmmod xen-blkback xen-netback
claim "without them it starts" xm create /etc/xen/cloud.cfg 'vif=[]' 'disk=[]'
