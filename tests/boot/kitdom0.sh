#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest tests that make sense there run as dom0 itself: one kernel that is all of them. It speaks
# through the hypervisor's console and ends by a restart, at which QEMU stops. Our hypervisor runs it
# with SMAP, under which no other dom0 gets far in QEMU's TCG: a touch of a guest's page outside the
# copy functions, or without their STAC, faults.
. "$(dirname "$0")/lib.sh"

smap='--xen-args smap'
[ -z "${HYPERVISOR:-}" ] || smap=
strip -o "$SCRATCH/dom0.elf" "$STOREVISOR_BUILD/tests/guests/dom0.elf"
machine --kernel "$SCRATCH/dom0.elf" --timeout 200 $smap -- true >/dev/null 2>"$SCRATCH/stderr" || :
tr -d '\r' <"$SCRATCH/serial.log" | sed 's/^(d0) //; s/^(XEN) \[[^]]*\] //' >"$SCRATCH/said"
expected=$SCRATCH/expected
: >"$expected"
if [ -n "${HYPERVISOR:-}" ]; then
	sed -n 's/^| `\([a-z0-9_]*\)` | \([a-z]*\) |.*/\1 \2/p' "$TOP/docs/guest-tests.md" >"$expected"
fi
kit_claims "$SCRATCH/said" "$expected"
[ -n "${HYPERVISOR:-}" ] || contains "the CPU keeps the hypervisor from guests' code and data" \
	'^\(SV\) cpu: .*, smep, smap$' "$(cat "$SCRATCH/said")"
contains "all of them were run" '^tests: end' "$(tail -n 40 "$SCRATCH/said")"
finish
