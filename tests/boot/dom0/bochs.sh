#!/bin/sh
# SPDX-License-Identifier: MIT
# The first process of a Debian kernel as dom0 on a second model of a CPU, which has no disk: what is
# here came with the initrd. Programs run, one of them in every forbidden way; guests of the kit are
# built and judged. Then "debian: end".
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t tmpfs run /run
echo "debian: $(uname -sr), $(grep -c ^processor /proc/cpuinfo) CPU"
modprobe -a xen-privcmd xen-evtchn xen-gntdev xenfs
mkdir -p /proc/xen
mount -t xenfs xenfs /proc/xen 2>/dev/null
same=$(seq 2000 | sha256sum | cut -c 1-8)
echo "debian: sum $same"
echo "debian: pipes $(for i in 1 2 3 4 5 6 7 8; do seq $i | wc -l; done | xargs)"
/kit/usermode | sed 's/^/usermode: /'
LD_LIBRARY_PATH=/kit/lib /kit/guestrun -k 0 -s 600 /kit/*.elf
dmesg | grep -E 'Oops|BUG:|WARNING: CPU|: 0000 .#|nable to handle|Call Trace' | sed 's/^/trouble: /'
echo "debian: end"
sync
poweroff -f
