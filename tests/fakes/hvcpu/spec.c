/* SPDX-License-Identifier: MIT */
/* spec.c - a fake CPU without faults of speculative execution: nothing is done against them. */
#include "x86/spec_ctrl.h"
#include "x86/xpti.h"

struct spec_plan spec_plan;
bool xpti_is_on;

void spec_ctrl_switch_in(u64 life, u32 guest_spec_ctrl)
{
}

bool spec_ctrl_guest_write(u32 *guest_spec_ctrl, u32 msr, u64 val)
{
	return false; /* it has none of these registers */
}

void xpti_l4_changed(void)
{
}
