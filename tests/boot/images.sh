#!/bin/sh
# SPDX-License-Identifier: MIT
# Images in other systems' shapes (tests/guests/image_*.c) as dom0, each booted once: what the ELF notes
# may leave out, and where they may be. As domUs tests/boot/kit.sh starts them.
. "$(dirname "$0")/lib.sh"

for file in "$STOREVISOR_BUILD"/tests/guests/guest-image_*.elf; do
	name=${file##*/guest-}
	name=${name%.elf}
	strip -o "$SCRATCH/dom0.elf" "$file"
	machine --kernel "$SCRATCH/dom0.elf" --timeout 60 -- true >/dev/null 2>"$SCRATCH/stderr" || :
	said=$(tr -d '\r' <"$SCRATCH/serial.log" | sed 's/^(d0) //; s/^(XEN) \[[^]]*\] //; s/^(XEN) //')
	claim=$(printf '%s\n' "$said" | sed -n 's/^claim: //p')
	contains "$name: ${claim:-it begins}" '^result: success' "$said"
done
finish
