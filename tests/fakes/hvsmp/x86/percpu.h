/* SPDX-License-Identifier: MIT */
/*
 * percpu.h (fake) - the CPUs of a machine whose CPUs are host threads, or fibers of one: each finds
 * its own struct by a thread's variable. Found before hypervisor/x86/percpu.h; same names, same
 * meaning.
 */
#ifndef TESTS_FAKES_HVSMP_X86_PERCPU_H
#define TESTS_FAKES_HVSMP_X86_PERCPU_H

#include "lib/types.h"

#include <xen/xen.h>

#include "x86/layout.h"

struct tlb_space;
struct vcpu;

#define NO_CPU (~0u)

struct cpu_info {
	struct cpu_user_regs regs;
	struct vcpu *vcpu;
	u32 cpu_id;
	u32 softirq_pending;
	u32 requests;
	u32 lock_depth;
	u32 locks_held;
	u64 tlb_time;
	u64 hv_cr3, copied_cr3, copied_changes;
	u32 hv_spec_ctrl, guest_spec_ctrl;
	u16 verw_selector;
	bool is_idle;
	const struct tlb_space *tlb_space;
};
extern struct cpu_info fake_cpus[NR_CPUS];
extern __thread struct cpu_info *fake_here; /* the CPU that runs this code */

static inline struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return &fake_cpus[cpu];
}
static inline struct cpu_info *this_cpu(void)
{
	return fake_here;
}
static inline unsigned int this_cpu_id(void)
{
	return fake_here->cpu_id;
}
#define current (this_cpu()->vcpu)
static inline struct cpu_user_regs *guest_regs(void)
{
	return &this_cpu()->regs;
}

#endif
