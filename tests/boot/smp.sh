#!/bin/sh
# SPDX-License-Identifier: MIT
# Four CPUs: dom0 on all of them, a guest of two vcpus, load on both, CPUs come and go; a guest one
# vcpu of which rewrites the arguments that the other's hypercalls read. Then every reference of
# every frame is recounted, and all memory is back.
. "$(dirname "$0")/lib.sh"
# by the host's clock: counted instructions would give each CPU a tenth of a second in turn
REAL_TIME=1
mkdir -p "$SCRATCH/guests"
strip -o "$SCRATCH/guests/boot.elf" "$STOREVISOR_BUILD/tests/guests/guest-boot.elf"
strip -o "$SCRATCH/guests/fuzz.elf" "$STOREVISOR_BUILD/tests/guests/kit-fuzz.elf"
strip -o "$SCRATCH/guests/given_up.elf" "$STOREVISOR_BUILD/tests/guests/guest-given_up.elf"
cp "$STOREVISOR_BUILD/tests/guests/guestrun" "$SCRATCH/guests/"
inside smp.sh --cpus 4 --disk "$SCRATCH/disk" --add "$SCRATCH/guests"
finish
