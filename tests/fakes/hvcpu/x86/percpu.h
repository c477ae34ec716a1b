/* SPDX-License-Identifier: MIT */
/*
 * percpu.h (fake) - the CPUs of a host test: an array, and which of them the test is on. Found
 * before hypervisor/x86/percpu.h on the include path; same names, same meaning.
 */
#ifndef TESTS_FAKES_HVCPU_X86_PERCPU_H
#define TESTS_FAKES_HVCPU_X86_PERCPU_H

#include "lib/types.h"

#include <xen/xen.h>

#include "x86/layout.h"

struct tlb_space;
struct vcpu;

#define NO_CPU (~0u)

struct cpu_info {
	struct cpu_user_regs regs;
	struct vcpu *vcpu;
	u32 cpu_id, softirq_pending;
	u64 tlb_time;
	u64 hv_cr3, guest_cr3, copied_cr3, copied_changes;
	u32 hv_spec_ctrl, guest_spec_ctrl;
	u16 verw_selector;
	bool is_idle;
	const struct tlb_space *tlb_space;
};
extern struct cpu_info fake_cpus[NR_CPUS];
extern unsigned int fake_cpu_id, fake_nr_cpus; /* which the test is on; how many there are */

static inline struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return &fake_cpus[cpu];
}
static inline struct cpu_info *this_cpu(void)
{
	return &fake_cpus[fake_cpu_id];
}
static inline unsigned int this_cpu_id(void)
{
	return fake_cpu_id;
}
#define current (this_cpu()->vcpu)
static inline struct cpu_user_regs *guest_regs(void)
{
	return &this_cpu()->regs;
}

#endif
