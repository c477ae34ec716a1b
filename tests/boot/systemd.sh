#!/bin/sh
# SPDX-License-Identifier: MIT
# The units of automations under Debian's systemd as the first process of a machine: Debian's kernel
# without a hypervisor, our store daemon, systemd-inside.sh. Idle time passes at once there, so that
# waiting for a watchdog costs nothing.
. "$(dirname "$0")/lib.sh"
BUILD=${STOREVISOR_BUILD:-$TOP/build}
. "$TOP/image/lib.sh"
DEBROOT=
UNITS='basic final local-fs multi-user paths poweroff shutdown slices sockets swap sysinit timers umount'

"$TOP/image/make"
root=$SCRATCH/root
for dir in bin dev etc/xen/watch.d lib/systemd/system proc root run sbin sys tmp usr var/lib/xenstored; do
	mkdir -p "$root/$dir"
done
ln -s ../bin ../sbin ../lib "$root/usr/"
ln -s ../run "$root/var/run"
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $(busybox --list | grep -vx busybox); do
	ln -s busybox "$root/bin/$applet"
done
rm -f "$root/sbin/init" "$root/bin/poweroff"
for file in /lib/systemd/systemd /lib/systemd/systemd-executor /lib/systemd/systemd-shutdown \
	/bin/systemctl /bin/systemd-analyze; do
	[ ! -e "$file" ] || put_elf "$root" "$file" "$file"
done
put_elf "$root" "$BUILD/cli/xs/xs" /bin/xs
put_elf "$root" "$BUILD/xenstored/xenstored" /sbin/xenstored
for unit in $UNITS; do
	cp "/lib/systemd/system/$unit.target" "$root/lib/systemd/system/"
done
cp /lib/systemd/system/systemd-poweroff.service "$TOP"/cli/xs/systemd/* "$TOP"/tests/boot/systemd/*.service \
	"$root/lib/systemd/system/"
cp "$TOP/tests/boot/systemd/inside.sh" "$TOP/tests/boot/dom0/lib.sh" "$root/"
echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
echo root:x:0: >"$root/etc/group"
: >"$root/etc/machine-id"
ln -s lib/systemd/systemd "$root/init"
pack "$root" "$SCRATCH/initrd"

timeout 300 qemu-system-x86_64 -accel tcg -icount shift=0,sleep=off -cpu max -m 512 -display none -nodefaults \
	-no-reboot -serial "file:$SCRATCH/serial.log" -kernel "$IMAGE/vmlinuz" -initrd "$SCRATCH/initrd" \
	-append "console=ttyS0 panic=-1 quiet systemd.default_timeout_start_sec=60 systemd.unit=claims.service" ||
	fail "the machine ends by itself"
tr -d '\r' <"$SCRATCH/serial.log" | grep -aE '^((not )?ok |# |1\.\.)' >"$SCRATCH/tap" || :
planned=
while IFS= read -r line; do
	case $line in
	'ok '*) pass "${line#ok * - }" ;;
	'not ok '*) fail "${line#not ok * - }" ;;
	1..*) planned=$line ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$SCRATCH/tap"
same "the machine made all its claims" "$planned" "1..$count"
[ -n "$planned" ] || tail -n 30 "$SCRATCH/serial.log" | tr -d '\r\033' | sed 's/^/# /'
finish
