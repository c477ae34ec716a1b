/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(sched_compat, "the first scheduler call yields; both refuse reasons that do not exist", ALSO_DOM0)
{
	struct sched_shutdown bad = {99};

	check_is(hypercall(sched_op_compat, SCHEDOP_yield, 0), 0);
	check_is(hc_sched(SCHEDOP_yield, NULL), 0);
	check_is(hypercall(sched_op_compat, 77, 0), -ENOSYS);
	check_is(hc_sched(SCHEDOP_shutdown, (void *)0xdead000), -EFAULT);
	if (hc_sched(SCHEDOP_shutdown_code, &bad) != -EINVAL)
		test_failure(__FILE__, __LINE__, "shutdown code 99 is taken");
}
