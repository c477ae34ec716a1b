#!/bin/sh
# SPDX-License-Identifier: MIT
# The units of the store, of automations, of bridges and of what manages domains under Debian's systemd as the first process of a machine: Debian's kernel
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
ln -s ../bin/busybox "$root/sbin/modprobe"
DEBROOT=$CACHE/root put_modules "$root" "$(kernel_version amd64)" bridge 8021q veth
put_elf "$root" "$(readlink -f "$(command -v ip)")" /sbin/ip
put_elf "$root" "$(command -v flock)" /bin/flock
mkdir -p "$root/lib/storevisor/scripts"
cp "$TOP"/image/scripts/* "$root/lib/storevisor/scripts/"
cp "$TOP/install/storevisor-network" "$root/sbin/"
# busybox's shell takes its own ip before any other.
put_elf "$root" /bin/dash /bin/dash
sed -i '1s|/bin/sh|/bin/dash|' "$root"/lib/storevisor/scripts/network-* "$root/sbin/storevisor-network"
for file in /lib/systemd/systemd /lib/systemd/systemd-executor /lib/systemd/systemd-shutdown \
	/bin/systemctl /bin/systemd-analyze /bin/systemd-run; do
	[ ! -e "$file" ] || put_elf "$root" "$file" "$file"
done
put_elf "$root" "$BUILD/cli/xs/xs" /bin/xs
put_elf "$root" "$BUILD/xenstored/xenstored" /lib/storevisor/xenstored
for unit in $UNITS; do
	cp "/lib/systemd/system/$unit.target" "$root/lib/systemd/system/"
done
cp /lib/systemd/system/systemd-poweroff.service "$TOP"/cli/xs/systemd/* "$TOP"/xenstored/systemd/* \
	"$TOP"/tests/boot/systemd/*.service "$TOP"/install/systemd/*.service \
	"$root/lib/systemd/system/"
mkdir "$root/lib/systemd/system/xenstored.service.d"
printf '%s\n' '[Service]' StandardError=kmsg >"$root/lib/systemd/system/xenstored.service.d/words.conf"
# What manages domains needs a hypervisor: here their units are what is looked at, with others in their places.
for unit in backendd xend xend-domains storevisor-network; do
	mkdir "$root/lib/systemd/system/$unit.service.d"
	printf '%s\n' '[Unit]' ConditionPathExists= >"$root/lib/systemd/system/$unit.service.d/other.conf"
	case $unit in xend-domains | storevisor-network) continue ;; esac
	printf '%s\n' '[Service]' Type=exec ExecStartPre= ExecStart= 'ExecStart=/bin/sleep 1000000' \
		>>"$root/lib/systemd/system/$unit.service.d/other.conf"
done
printf '%s\n' '#!/bin/sh' 'echo "$*" >>/tmp/xm; xs put /host/stopping 1' >"$root/sbin/xm"
chmod +x "$root/sbin/xm"
cp "$TOP/tests/boot/systemd/inside.sh" "$TOP/tests/boot/dom0/lib.sh" "$root/"
cat >"$root/etc/passwd" <<'EOF'
root:x:0:0:root:/root:/bin/sh
xenstored:x:900:900::/:/bin/false
alice:x:2000:2000::/:/bin/sh
mallory:x:2001:2001::/:/bin/sh
EOF
printf '%s\n' root:x:0: xenstored:x:900: xenstore:x:901:alice alice:x:2000: mallory:x:2001: >"$root/etc/group"
: >"$root/etc/machine-id"
# A root that a unit may have a view of its own of: the kernel's first one cannot be left.
cat >"$root/init" <<'EOF'
#!/bin/sh
mkdir /new
mount -t tmpfs -o mode=755 tmpfs /new
for dir in bin etc lib lib64 sbin usr var lib.sh inside.sh; do
	cp -a "/$dir" /new/
done
cd /new && mkdir -p dev proc root run sys tmp
exec switch_root /new /lib/systemd/systemd
EOF
chmod +x "$root/init"
pack "$root" "$SCRATCH/initrd"

quiet=systemd.show_status=no # what it draws for people would be within claims
timeout 300 qemu-system-x86_64 -accel tcg -icount shift=0,sleep=off -cpu max -m 512 -display none -nodefaults \
	-no-reboot -serial "file:$SCRATCH/serial.log" -kernel "$IMAGE/vmlinuz" -initrd "$SCRATCH/initrd" \
	-append "console=ttyS0 panic=-1 systemd.default_timeout_start_sec=60 systemd.unit=claims.service $quiet" ||
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
