/* SPDX-License-Identifier: MIT */
/* spec_ctrl.h - carries the plan against faults of speculative execution out (spec_plan.h). */
#ifndef HV_X86_SPEC_CTRL_H
#define HV_X86_SPEC_CTRL_H

#include "x86/spec_plan.h"

/* MSR SPEC_CTRL, PRED_CMD, FLUSH_CMD: Intel SDM vol. 4; AMD's have the same numbers. */
#define MSR_SPEC_CTRL 0x48u
#define MSR_PRED_CMD 0x49u
#define MSR_FLUSH_CMD 0x10bu
#define MSR_ARCH_CAPABILITIES 0x10au

/* Fixed after spec_ctrl_init() on the boot CPU. */
extern struct spec_plan spec_plan;

/* The sequences of entry.S (ALT_*) that @plan wants. @smap: the CPU has it and it is on. */
u32 spec_plan_features(const struct spec_plan *plan, bool smap);

/*
 * Boot CPU, while the text can still be written: reads the facts, makes the plan, fills the sites
 * of entry.S. @smap: see above. Then every CPU: its own registers. Called by cpu_init().
 */
void spec_ctrl_init(bool smap);
/*
 * Boot list: the table of faults, a line each, in the log, then the sequences that are in entry.S.
 */
void spec_ctrl_report(void);

/*
 * A vcpu of the domain whose domain::life is @life (from 1, never used twice) is about to run on
 * this CPU: what another domain has taught the branch predictor is forgotten, and SPEC_CTRL on the
 * way out is @guest_spec_ctrl, what the vcpu has set.
 */
void spec_ctrl_switch_in(u64 life, u32 guest_spec_ctrl);

/* A vcpu may have @val (any) in SPEC_CTRL. */
static inline bool spec_ctrl_guest_value_ok(u64 val)
{
	return spec_plan.guest_spec_ctrl_mask && !(val & ~(u64)spec_plan.guest_spec_ctrl_mask);
}

/*
 * The running vcpu's WRMSR of @val to SPEC_CTRL (kept in *@guest_spec_ctrl), PRED_CMD or
 * FLUSH_CMD, @msr being one of them. @val: any. False: #GP, because this CPU, or the guest's view
 * of it, has no such register or bit.
 */
bool spec_ctrl_guest_write(u32 *guest_spec_ctrl, u32 msr, u64 val);

#endif
