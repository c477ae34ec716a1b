/* SPDX-License-Identifier: MIT */
#include "claim.h"

static volatile unsigned int ran;

static void other(void *arg)
{
	ran += (unsigned int)(u64)arg;
}

GUEST_TEST(vcpu_start, "a second vcpu is initialised once, goes up, runs and goes down", 0)
{
	static struct vcpu_guest_context ctx;

	check_is(vcpu_is_up(0), 1);
	check_is(vcpu_is_up(1), 0);
	check_is(vcpu_is_up(1000), -ENOENT);
	check(hc_vcpu(VCPUOP_up, 1, NULL) < 0); /* no context yet */
	check_is(vcpu_run(1, other, (void *)5), 0);
	while (vcpu_is_up(1))
		sleep_ns(NS_PER_MS);
	check_is(ran, 5);
	vcpu_context(&ctx, 1, other, NULL);
	check_is(hc_vcpu(VCPUOP_initialise, 1, &ctx), -EEXIST);
	check_is(hc_vcpu(VCPUOP_initialise, 1, (void *)0xdead000) < 0, 1);
	check_is(hc_vcpu(VCPUOP_up, 1000, NULL), -ENOENT);
}
