/* SPDX-License-Identifier: MIT */
#include "claim.h"

static long do_register(unsigned int type, u64 address)
{
	struct callback_register cb = { .type = (u16)type, .address = address };

	return hc_callback(CALLBACKOP_register, &cb);
}

static long do_unregister(unsigned int type)
{
	struct callback_unregister cb = { .type = (u16)type };

	return hc_callback(CALLBACKOP_unregister, &cb);
}

GUEST_TEST(callback_ops,
	   "callbacks of every type register; only those a kernel can miss go", ALSO_DOM0)
{
	const u64 good = (u64)page_alloc, bad = 0x0000900000000000UL;

	check_is(do_register(CALLBACKTYPE_sysenter, good), 0);
	check_is(do_register(CALLBACKTYPE_syscall32, good), 0);
	check_is(do_register(CALLBACKTYPE_nmi, good), 0);
	check_is(do_unregister(CALLBACKTYPE_sysenter), -EINVAL);
	check_is(do_unregister(CALLBACKTYPE_nmi), 0);
	check_is(do_unregister(CALLBACKTYPE_event), -EINVAL);
	check_is(do_unregister(CALLBACKTYPE_failsafe), -EINVAL);
	check_is(do_register(CALLBACKTYPE_event, bad), -EINVAL);
	check_is(do_register(CALLBACKTYPE_syscall, bad), -EINVAL);
	check_is(do_register(77, good), -ENOSYS);
	check_is(hc_callback(CALLBACKOP_register, (void *)0xdead000), -EFAULT);
	traps_init_vcpu();
}
