/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define MXCSR (24 / 4)
#define MXCSR_RESET 0x1f80
#define FCW_RESET 0x37f

static volatile u32 mxcsr;
static volatile bool done;

static void other(void *arg)
{
	u32 value;

	__asm__ volatile("stmxcsr %0" : "=m"(value));
	mxcsr = value;
	done = true;
}

GUEST_TEST(fpu_context, "a vcpu's context with MXCSR bits no CPU has is no fault of the host", 0)
{
	static struct vcpu_guest_context c;

	vcpu_context(&c, 1, other, NULL);
	c.flags |= VGCF_I387_VALID;
	((u32 *)&c.fpu_ctxt)[0] = FCW_RESET;
	((u32 *)&c.fpu_ctxt)[MXCSR] = 1u << 16 | MXCSR_RESET;
	need(hc_vcpu(VCPUOP_initialise, 1, &c));
	need(hc_vcpu(VCPUOP_up, 1, NULL));
	while (!done)
		sleep_ns(NS_PER_MS);
	check_is(mxcsr, MXCSR_RESET);
}
