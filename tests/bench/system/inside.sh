#!/bin/sh
# SPDX-License-Identifier: MIT
# inside.sh ROUNDS - in dom0, under -icount: lines "NAME VALUE" for tests/bench/system/run. Times are
# instructions, of one a nanosecond. ROUNDS: how often the paths are measured.
here=/mnt/system
export ROUNDS="${1:?rounds}"
tsc() { "$here/probe" tsc; }

echo "power_on_to_services $(tsc)"
xm info >/dev/null # has xend write /host anew
total=$((2048 * 1024)) # what QEMU gave; each hypervisor's own idea of it leaves out other things
free=$(xs read /host/free_kib)
dom0=$(xs read /status/domain/Domain-0/memory_kib)
echo "memory_taken_kib $((total - free - dom0))"
echo "dom0_does_not_see_kib $((512 * 1024 - $(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)))"
log=/var/log/xen/console/guest-demo.log
start=$(tsc)
xm create /etc/xen/demo.cfg >/dev/null || exit 1
echo "create_guest $(($(tsc) - start))"
until grep -aq 'guest: ready' "$log"; do
	usleep 50000
done
ready=$(tsc)
echo "create_to_guest_shell $((ready - start))"
echo "power_on_to_guest_shell $ready"
start=$(tsc)
xm destroy demo
echo "destroy_guest $(($(tsc) - start))"
modprobe -a xen-gntdev xen-gntalloc 2>/dev/null
"$here/probe" costs || exit 1
cat >/tmp/bench.cfg <<-END
	name = "bench"
	kernel = "/usr/share/storevisor/vmlinuz-amd64"
	ramdisk = "$here/bench.cpio"
	extra = "console=hvc0 quiet DOMID=2 ROUNDS=$ROUNDS"
	memory = 256
	on_poweroff = "destroy"
END
xm create /tmp/bench.cfg >/dev/null || exit 1
log=/var/log/xen/console/guest-bench.log
until grep -aq 'bench: done' "$log"; do
	xm domid bench >/dev/null || { grep -av "^\[" "$log" | tail -n 20 >&2; exit 1; }
	sleep 3 # looking costs dom0 instructions, which the guest would have to wait for
done
tr -d '\r' <"$log" | sed -n 's/^\([a-z_0-9]* -\{0,1\}[0-9]*\)$/guest_\1/p'
