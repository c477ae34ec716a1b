#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest's disk that a server serves by NBD, in a whole machine: written, saved while the server is slow,
# and the server killed under it; and one whose image is qcow2, with the qemu-nbd that reads it killed.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
# Debian's nbdkit, in dom0: what it needs beside what libnbd needs, which the image has.
DEBROOT=
put_elf "$SCRATCH/nbd" /usr/bin/nbdkit /bin/nbdkit
for name in plugins/nbdkit-file-plugin.so filters/nbdkit-delay-filter.so; do
	put_elf "$SCRATCH/nbd" "/usr/lib/x86_64-linux-gnu/nbdkit/$name" "/${name##*/}"
done
put_elf "$SCRATCH/nbd" /usr/bin/qemu-nbd /bin/qemu-nbd
qemu-img create -q -f qcow2 "$SCRATCH/nbd/base.qcow2" 64M
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$SCRATCH/nbd/top.qcow2"
inside nbd.sh --disk "$SCRATCH/disk" --add "$SCRATCH/nbd"
finish
