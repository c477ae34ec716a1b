/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void never(void *arg)
{
}

static struct vcpu_guest_context *fresh(void)
{
	static struct vcpu_guest_context ctx;

	vcpu_context(&ctx, 1, never, NULL);
	return &ctx;
}

static long init(struct vcpu_guest_context *ctx)
{
	return hc_vcpu(VCPUOP_initialise, 1, ctx);
}

/* C51, I10. */
GUEST_TEST(vcpu_context_bad,
	   "a vcpu context with a foreign table, a gate or bad addresses is refused", 0)
{
	struct vcpu_guest_context *c = fresh();
	void *plain = page_alloc();

	c->ctrlreg[3] = xen_pfn_to_cr3(1);
	check(init(c) < 0);
	c = fresh();
	c->ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(plain));
	check(init(c) < 0);
	c = fresh();
	c->gdt_ents = 100000;
	check(init(c) < 0);
	c = fresh();
	c->gdt_ents = 8;
	c->gdt_frames[0] = virt_to_mfn(plain); /* writable */
	check(init(c) < 0);
	c = fresh();
	c->event_callback_eip = 0x0000900000000000UL;
	check(init(c) < 0);
	check_is(vcpu_run(1, never, NULL), 0);
}
