#!/bin/sh
# SPDX-License-Identifier: MIT
# The processes that serve devices, on a whole machine: what they are, what one gets that its guest
# took over, and that the guest goes on however often they are killed.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
mkdir -p "$SCRATCH/taken"
cp "$STOREVISOR_BUILD/tests/unit/backends/taken_blkback" "$SCRATCH/taken/"
# Debian's udev, with its rule that loads a driver for every device, and ours.
DEBROOT=
mkdir -p "$SCRATCH/udev/rules"
put_elf "$SCRATCH/udev" /bin/udevadm /bin/udevadm
cp /lib/udev/rules.d/80-drivers.rules "$TOP"/backends/udev/*.rules "$SCRATCH/udev/rules/"
inside deviceproc.sh --disk "$SCRATCH/disk" --add "$SCRATCH/taken" --add "$SCRATCH/udev"
finish
