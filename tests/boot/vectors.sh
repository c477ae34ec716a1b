#!/bin/sh
# SPDX-License-Identifier: MIT
# Linux in dom0 and in guests takes XSAVE and AVX as the CPU has them, and each program's vector
# registers stay its own: beside other programs, other domains, a signal's handler, and in a guest
# that goes into a file and back (tests/guests/vectors.c). Debian's cksum is there because it asks
# the CPU for AVX and not the kernel.
. "$(dirname "$0")/lib.sh"
programs=$SCRATCH/programs
mkdir -p "$programs/lib"
cc -O1 -static -o "$programs/vectors" "$TOP/tests/guests/vectors.c"
cp /usr/bin/cksum "$programs/"
cksum </usr/bin/cksum >"$programs/cksum.sum"
# its libraries, and the loader that finds them here
for file in $(ldd /usr/bin/cksum | grep -o '/[^ ]*'); do
	cp -L "$file" "$programs/lib/"
done
inside vectors.sh --add "$programs"
finish
