#!/bin/sh
# SPDX-License-Identifier: MIT
# What dom0 must have; the disks and the network card are whatever the test attached.
. /mnt/dom0/lib.sh

for node in xenbus evtchn gntdev privcmd; do
	claim "/dev/xen/$node is there" test -c /dev/xen/$node
done
same "/sys/hypervisor says xen" xen "$(cat /sys/hypervisor/type)"
claim "/proc/xen/capabilities says control_d" grep -q control_d /proc/xen/capabilities
claim "the kernel is Debian's, unmodified" grep -q 'debian-kernel@lists.debian.org' /proc/version

disk=$(findfs LABEL=sv-state)
echo "# disk $disk: $(readlink -f /sys/block/"${disk##*/}")"
written=$(dd if=/dev/urandom bs=64k count=64 2>/dev/null | tee /data/pattern | sha256sum)
sync
echo 3 >/proc/sys/vm/drop_caches
same "4 MiB written to the disk read back" "$written" "$(sha256sum </data/pattern)"
claim "no I/O error in the kernel's log" sh -c '! dmesg | grep -iE "I/O error|ata.*(failed|timeout)"'

if [ -d /sys/class/net/eth0 ]; then
	echo "# card: $(basename "$(readlink -f /sys/class/net/eth0/device/driver)")"
	ip addr add 10.0.2.15/24 dev eth0
	ip link set eth0 up
	claim "the network card carries packets" until_true 20 ping -c 1 -W 1 10.0.2.2
fi
claim "time passes at the right speed" sh -c '
	a=$(cut -d . -f 1 /proc/uptime); sleep 3; b=$(cut -d . -f 1 /proc/uptime); [ $((b - a)) -ge 2 ] && [ $((b - a)) -le 5 ]'
claim "the kernel met no BUG, no warning" sh -c '! dmesg | grep -E "BUG:|WARNING: CPU|Oops|soft lockup|rcu.*stall"'
