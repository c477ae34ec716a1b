/* SPDX-License-Identifier: MIT */
/*
 * spec.c - a fake CPU without faults of speculative execution: nothing is done against them. It has
 * the registers that the test puts into spec_plan. fake_on_barrier: called where PRED_CMD is
 * written for a guest. fake_xpti_changes: how often a copy of level-4 tables became old.
 * fake_spec_life, fake_spec_ctrl: of the domain whose vcpu came last.
 */
#include "x86/spec_ctrl.h"
#include "x86/xpti.h"

struct spec_plan spec_plan;
bool xpti_is_on;
void (*fake_on_barrier)(void);
unsigned int fake_xpti_changes;
u64 fake_spec_life;
u32 fake_spec_ctrl;

void spec_ctrl_switch_in(u64 life, u32 guest_spec_ctrl)
{
	fake_spec_life = life;
	fake_spec_ctrl = guest_spec_ctrl;
}

bool spec_ctrl_guest_write(u32 *guest_spec_ctrl, u32 msr, u64 val)
{
	if (msr == MSR_PRED_CMD && spec_plan.has_ibpb && val == 1) {
		if (fake_on_barrier)
			fake_on_barrier();
		return true;
	}
	if (msr != MSR_SPEC_CTRL || !spec_ctrl_guest_value_ok(val))
		return false;
	*guest_spec_ctrl = (u32)val;
	return true;
}

void xpti_l4_changed(void)
{
	fake_xpti_changes++;
}
