#!/bin/sh
# SPDX-License-Identifier: MIT
# A Debian's life with our packages, one stage a boot: natively, where they are installed; once under the
# hypervisor, where a guest is made; by default under it, where that guest has come up by itself and the packages
# are removed; natively again.
. /mnt/dom0/lib.sh
. /mnt/dom0/debian-machine.sh
export DEBIAN_FRONTEND=noninteractive

natively()
{
	native_facts
	claim "apt installs the packages, and what they need" apt-get -q -y install /mnt/debs/storevisor*.deb
	claim "no unit has failed by that" quiet_units
	same "nothing that manages domains runs" inactive "$(systemctl is-active xend.service)"
	claim "the store serves" xs write /convert/was native
	next_is_ours
	again once
}

once()
{
	whole_under
	guest
	claim "from now on every boot is ours" storevisor-boot --default
	again default
}

# layout NAME FILE: a disk as it is starts as a domain, by its own menu.
layout()
{
	claim "$1: a record for the disk" xm image "$1" --from-disk "$2" --memory 256
	claim "$1: it starts" xm start "$1"
	claim "$1: its own menu finds its kernel" hears "$1" 300 'guest: ready'
	claim "$1: it ends" xm destroy "$1"
	xm delete "$1"
}

# layouts: a root file system in a volume group of the guest's own, and an XFS behind a partition for UEFI.
layouts()
{
	truncate -s 64M /root/lvm.img
	loop=$(losetup -f --show /root/lvm.img)
	claim "a volume group inside a guest's disk" sh -ec "pvcreate -q -y $loop && vgcreate -q inner $loop && lvcreate -q -y -W n -n root -L 24M inner"
	dd if=/mnt/guest/grub.img of=/dev/inner/root bs=1M skip=2 count=24 conv=fsync 2>/dev/null
	claim "is let go" until_true 20 vgchange -q -an inner
	losetup -d "$loop"
	layout lvm /root/lvm.img
	cp --sparse=always /mnt/guest/xfs.img /root/
	layout xfs /root/xfs.img
}

default()
{
	claim "the next boot is under the hypervisor by itself" under_hypervisor
	claim "no unit has failed there" quiet_units
	claim "the guest has come up with it" hears first 300 'guest: ready' 2
	layouts
	claim "it shuts down when it is told" xm shutdown --wait first
	claim "it is off then" not xm domid first
	claim "the packages are purged under the hypervisor itself" apt-get -q -y purge storevisor storevisor-utils storevisor-store
	claim "nothing of ours runs then" nothing pgrep -l 'xend|backendd|blkback|netback|consback|xenstored'
	again removed
}

removed()
{
	claim "the machine boots natively again" not test -e /sys/hypervisor/type
	claim "no unit has failed in the end" quiet_units
	facts >$STATE/facts.removed
	claim "disks, swap, network and devices are as before" diff $STATE/facts $STATE/facts.removed
	claim "GRUB has no entry of ours" not grep -qi storevisor /boot/grub/grub.cfg
	claim "nor dpkg a package" nothing sh -c 'dpkg-query -W -f "\${Package}\n" "storevisor*" 2>/dev/null'
	mount -o ro "$(losetup -P -f -r --show /dev/vg0/guest)p2" /media
	same "what the guest wrote is on its volume" kept "$(cat /media/kept)"
}

case $stage in
native) natively ;;
once) once ;;
default) default ;;
removed) removed ;;
esac
