/* SPDX-License-Identifier: MIT */
/*
 * asm.h (fake) - the instructions that spec_ctrl.c uses, as functions of the test. Found before
 * hypervisor/x86/asm.h on the include path; same names, same meaning.
 */
#ifndef TESTS_FAKES_HVSPEC_X86_ASM_H
#define TESTS_FAKES_HVSPEC_X86_ASM_H

#include "lib/types.h"
#include "x86/cpu_bits.h"

u64 rdmsr(u32 msr);
void wrmsr(u32 msr, u64 val);
int rdmsr_safe(u32 msr, u64 *val);
int wrmsr_safe(u32 msr, u64 val);
void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d);
u64 read_cr4(void);
void rsb_overwrite(void);

#endif
