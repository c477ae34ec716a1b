#!/bin/sh
# SPDX-License-Identifier: MIT
# Halves of somebody else's: Debian's xl and daemons on the hypervisor under test, and Debian's xl
# on our store. The guest kit's frontends meet Linux's backends here.
. "$(dirname "$0")/lib.sh"
mkdir -p "$SCRATCH/guests"
for name in store block network; do
	strip -o "$SCRATCH/guests/$name.elf" "$STOREVISOR_BUILD/tests/guests/kit-$name.elf"
done
inside debian-tools.sh --daemons debian --add "$SCRATCH/guests"
inside debian-xl.sh
finish
