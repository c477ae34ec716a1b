/* SPDX-License-Identifier: MIT */
/*
 * fpu_insn.h (fake) - a CPU's floating point registers, one word of each kind, and the instructions
 * that move them: they fault on what a real CPU faults on. Found before hypervisor/x86/fpu_insn.h.
 */
#ifndef TESTS_FAKES_HV_X86_FPU_INSN_H
#define TESTS_FAKES_HV_X86_FPU_INSN_H

#include "x86/asm.h"

#define FAKE_XCR0 7UL /* x87, SSE, AVX */
#define FAKE_AREA 832
#define FAKE_MXCSR_MASK 0xffffu

struct fake_fpu_registers {
	u64 xcr0;
	u64 x87, fip, xmm, ymm_high;
	u32 mxcsr;
	unsigned int nr_faults;
};
extern struct fake_fpu_registers fake_fpus[NR_CPUS];
#define fake_fpu fake_fpus[this_cpu_id()]
/* True: as AMD's CPUs before Zen 2, FXSAVE and XRSTOR leave the pointers alone. */
extern bool fake_pointers_stay;
/* True: XRSTOR and FXRSTOR refuse whatever they get, once. */
extern bool fake_fpu_refuses;
/* True: as under QEMU's TCG, XSAVE does not mind CR0.TS. */
extern bool fake_xsave_ignores_ts;

int xsetbv_safe(u64 value);
int xrstor_safe(const void *area);
int fxrstor_safe(const void *area);
int xsave_safe(void *area, u64 states);
void xsave(void *area, u64 states);
void fxsave(void *area);
void x87_pointers_clear(void);

#endif
