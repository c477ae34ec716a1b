#!/bin/sh
# SPDX-License-Identifier: MIT
# installed.sh - a Debian with our packages boots by its own disk's GRUB, once natively and once under the hypervisor
# with a guest (dom0/installed.sh). The packages came onto the disk with Debian's own, where it was made: how apt puts
# them on a machine that is up, and takes them off, convert shows, whose short form this is. Run by name only.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
"$TOP/image/make"
disk=$("$TOP/image/debian" fresh)
cp --sparse=always "$disk" "$SCRATCH/disk"
mkdir "$SCRATCH/guest"
tar xzf "$IMAGE/guests.tar.gz" -C "$SCRATCH/guest" ./grub.img
inside installed.sh --native --reboot --timeout 1400 --disk "$SCRATCH/disk" --add "$SCRATCH/guest"
finish
