#!/bin/sh
# SPDX-License-Identifier: MIT
# Every sequence against faults of speculative execution that QEMU's CPU can execute, at once: Debian boots as dom0, the
# guests of tests/guests do what they do without, on two CPUs; and a CPU that needs nothing is told so.
. "$(dirname "$0")/lib.sh"
ALL='xpti=1 spec-ctrl=rsb,bhb-entry,md-clear,div-scrub,eager-fpu,bti-thunk='
mkdir -p "$SCRATCH/guests"
for name in boot user_syscall user_gates iret_bad_stack iret_flags iret_no_tables nmi trap_exceptions trap_page_fault \
	pt_baseptr pt_build pt_pin pt_trapped_write mmu_update mmu_teardown fpu fpu_state iret_fault debug_registers ldt gdt \
	vcpu_start stack_gone msr cpuid; do
	strip -o "$SCRATCH/guests/$name.elf" "$STOREVISOR_BUILD/tests/guests/guest-$name.elf" || fail "guest $name is there"
done
cp "$STOREVISOR_BUILD/tests/guests/guestrun" "$SCRATCH/guests/"
inside mitigations.sh --add "$SCRATCH/guests" --xen-args "${ALL}retpoline"
contains "indirect branches are retpolines" "indirect branches: retpoline" "$(cat "$SCRATCH/serial.log")"
REAL_TIME=1
inside mitigations.sh --add "$SCRATCH/guests" --cpus 2 --xen-args "${ALL}lfence ucode=scan"
contains "indirect branches are behind a fence" "indirect branches: lfence" "$(cat "$SCRATCH/serial.log")"
contains "microcode is looked for in what the loader brought" "microcode: revision .* stays: no module has any" \
	"$(cat "$SCRATCH/serial.log")"
finish
