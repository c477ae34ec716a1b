#!/bin/sh
# SPDX-License-Identifier: MIT
# tools.sh - other people's tools for Xen beside our daemons: Pacemaker's agent, Ganeti's hv_xen, xen-tools, Debian's xl
# and xentop, libvirt, each through a guest's life, and our xm image on LVM and XFS (dom0/tools.sh). They are in a Debian of their own, into which dom0
# changes its root. Run by name only: it makes that Debian the first time. TOOLS="PART..." runs some of them.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
PACKAGES=e2fsprogs,fdisk,ganeti-3.0,iproute2,iputils-ping,kmod,libevent-2.1-7,libevent-core-2.1-7,libjansson4,liblmdb0
PACKAGES=$PACKAGES,libncursesw6,libseccomp2,libvirt-clients,libvirt-daemon-driver-xen,libvirt-daemon-system,libvirt-daemon-system-sysv,openssh-client,procps
PACKAGES=$PACKAGES,lvm2,xfsprogs,resource-agents,udev,xen-tools,xen-utils-4.17,debootstrap
GUEST=systemd-sysv,udev,kmod,ifupdown,iproute2,iputils-ping,openssh-server,initramfs-tools,linux-image-amd64
# A guest's drivers are few, and whether its kernel is small is not what is tested.
UNUSED='sound drivers/gpu drivers/media drivers/net/wireless drivers/net/ethernet drivers/infiniband drivers/staging
	drivers/scsi drivers/iio drivers/usb drivers/hwmon'

# guest FILE: what xen-create-image makes a guest of: the machine has no mirror.
guest()
{
	debootstrapped --quiet --variant=minbase --include="$GUEST" \
		--essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"' \
		--essential-hook='echo MODULES=list >"$1/etc/initramfs-tools/conf.d/small"' \
		--essential-hook='printf "xen-blkfront\next4\n" >"$1/usr/share/initramfs-tools/modules.d/xen"' \
		--customize-hook="cd \"\$1\"/lib/modules/*/kernel && rm -rf $(echo $UNUSED)" bookworm "$1"
}

make_debian()
{
	[ ! -e "$debian" ] || return 0
	note "making a Debian with other people's tools (some minutes, once)"
	rm -f "$CACHE"/tools-*.img
	work=$(mktemp -d "$CACHE/tools.XXXXXX")
	debootstrapped --quiet --variant=minbase --include="$PACKAGES" --customize-hook='chroot "$1" apt-get clean' \
		bookworm "$work/root" >"$SCRATCH/log" 2>&1 && guest "$work/root/root/guest.tar" >>"$SCRATCH/log" 2>&1 ||
		die "mmdebstrap failed: $(tail -n 5 "$SCRATCH/log")"
	ext4 "$work/img" tools 2600 "$work/root"
	mv "$work/img" "$debian"
	rm -rf --one-file-system "$work"
}

packages machine
"$TOP/image/make"
DEBROOT=$CACHE/root
debian=$CACHE/tools-$(printf %s "$PACKAGES $GUEST $UNUSED" | sha256sum | cut -c 1-24).img
locked "$CACHE/tools.lock" make_debian
ln -s "$debian" "$SCRATCH/debian"
KERNEL=$(kernel_version amd64)
put_modules "$SCRATCH/modules" "$KERNEL" dm-mod xfs
mkdir -p "$SCRATCH/image"
cp "$TOP"/cli/xm/guest-* "$SCRATCH/image/"
inside "tools.sh ${TOOLS:-}" --add "$SCRATCH/modules" --add "$SCRATCH/image" --timeout 3000 --memory 2560 --dom0-mem 1024M --disk "$SCRATCH/disk" \
	--qemu-args "-drive if=virtio,format=raw,snapshot=on,file=$SCRATCH/debian"
finish
