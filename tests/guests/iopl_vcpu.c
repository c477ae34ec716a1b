/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define FLAGS_IOPL1 0x1000

static volatile bool ran;

/* A fault of a second vcpu ends the guest. */
static void other(void *arg)
{
	__asm__ volatile("cli");
	ran = true;
}

/* As Linux brings up its second CPU. */
GUEST_TEST(iopl_vcpu, "a vcpu's first flags say its virtual I/O privilege level", 0)
{
	static struct vcpu_guest_context ctx;

	vcpu_context(&ctx, 1, other, NULL);
	ctx.user_regs.rflags |= FLAGS_IOPL1;
	need(hc_vcpu(VCPUOP_initialise, 1, &ctx));
	need(hc_vcpu(VCPUOP_up, 1, NULL));
	while (vcpu_is_up(1))
		sleep_ns(NS_PER_MS);
	check(ran);
}
