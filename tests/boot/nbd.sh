#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest's disk that a server serves by NBD, in a whole machine: written, saved while the server is slow,
# and the server killed under it.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
# Debian's nbdkit, in dom0: what it needs beside what libnbd needs, which the image has.
DEBROOT=
put_elf "$SCRATCH/nbd" /usr/bin/nbdkit /bin/nbdkit
for name in plugins/nbdkit-file-plugin.so filters/nbdkit-delay-filter.so; do
	put_elf "$SCRATCH/nbd" "/usr/lib/x86_64-linux-gnu/nbdkit/$name" "/${name##*/}"
done
inside nbd.sh --disk "$SCRATCH/disk" --add "$SCRATCH/nbd"
finish
