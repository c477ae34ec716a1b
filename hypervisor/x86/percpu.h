/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - what each CPU keeps for itself: struct cpu_info at the top of its stack area. The
 * stack pointer finds it, so GS stays the guest's (docs/decisions/0008).
 */
#ifndef HV_X86_PERCPU_H
#define HV_X86_PERCPU_H

#include "lib/types.h"

#include <xen/xen.h>

#include "x86/layout.h"
#include "x86/offsets.h"

struct tlb_space;
struct vcpu;

#define NO_CPU (~0u)

struct cpu_info {
	struct cpu_user_regs regs; /* of the guest that runs here */
	/*
	 * Whose state is on this CPU; NULL: nobody's, and the page tables are the hypervisor's
	 * own. Changes under the hypervisor lock.
	 */
	struct vcpu *vcpu;
	u32 cpu_id;
	u32 softirq_pending; /* bit an enum softirq; others set bits, atomically */
	u32 requests;        /* bit an enum cpu_request; others set bits, this CPU clears them */
	u32 lock_depth;      /* how often this CPU has taken the hypervisor lock */
	u32 locks_held;      /* bit a rank of a struct spinlock */
	u32 pad2;
	/*
	 * Only with separate tables (x86/xpti.c): what the hypervisor and what the guest runs on.
	 */
	u64 hv_cr3, guest_cr3;
	/* Of MSR SPEC_CTRL; the guest's with bit 31: always to be written (x86/spec_ctrl.c). */
	u32 hv_spec_ctrl, guest_spec_ctrl;
	u16 verw_selector;   /* any that can be written to: an operand in memory is what counts */
	bool is_idle;        /* in the idle loop, which looks for work itself */
	u8 pad[5];
	/*
	 * Whose page tables are loaded; NULL: the hypervisor's own. As `vcpu`, but for the moments
	 * of the switch.
	 */
	const struct tlb_space *tlb_space;
	u64 tlb_time; /* clock of the last full flush, x86/tlb.c */
	/* Whose copy guest_cr3 is, and of what time: x86/xpti.h. */
	u64 copied_cr3, copied_changes;
};
#define CPU_INFO_OFFSET_IS(field, at)                                                              \
	_Static_assert(offsetof(struct cpu_info, field) == (at), "entry.S: " #field)
CPU_INFO_OFFSET_IS(hv_cr3, CPU_INFO_HV_CR3);
CPU_INFO_OFFSET_IS(guest_cr3, CPU_INFO_GUEST_CR3);
CPU_INFO_OFFSET_IS(hv_spec_ctrl, CPU_INFO_HV_SPEC_CTRL);
CPU_INFO_OFFSET_IS(guest_spec_ctrl, CPU_INFO_GUEST_SPEC_CTRL);
CPU_INFO_OFFSET_IS(verw_selector, CPU_INFO_VERW);
_Static_assert(sizeof(struct cpu_info) == CPU_INFO_SIZE, "entry.S: struct cpu_info");
/* The CPU aligns the frame it pushes to 16 bytes. */
_Static_assert((CPU_INFO_SIZE - REGS_ES) % 16 == 0, "TSS.rsp0");

static inline __attribute__((const)) struct cpu_info *this_cpu(void)
{
	unsigned long sp;

	/* Not volatile: the answer never changes, so the compiler may ask once. */
	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp | (STACK_SIZE - 1)) + 1 - CPU_INFO_SIZE);
}

static inline unsigned int this_cpu_id(void)
{
	return this_cpu()->cpu_id;
}

/* @cpu: below smp_nr_cpus(). */
static inline struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return (struct cpu_info *)(CPU_STACKS_START + (cpu + 1) * STACK_SIZE - CPU_INFO_SIZE);
}

#define current (this_cpu()->vcpu)

/* The guest's registers on this CPU's stack (of `current`). */
static inline struct cpu_user_regs *guest_regs(void)
{
	return &this_cpu()->regs;
}

#endif
