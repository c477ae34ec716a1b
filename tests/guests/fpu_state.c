/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void load(u64 value)
{
	__asm__ volatile("movq %0, %%xmm5" ::"r"(value));
}

static u64 stored(void)
{
	u64 value;

	__asm__ volatile("movq %%xmm5, %0" : "=r"(value));
	return value;
}

static volatile bool done;

static void other(void *arg)
{
	load(0x2222222222222222);
	done = true;
}

GUEST_TEST(fpu_state, "vector registers stay a vcpu's own while another uses them", 0)
{
	load(0x1111111111111111);
	need(vcpu_run(1, other, NULL));
	while (!done)
		sleep_ns(NS_PER_MS);
	check_is(stored(), 0x1111111111111111);
}
