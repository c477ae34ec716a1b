/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(sched_compat, "the first scheduler call yields, as the later one does", ALSO_DOM0)
{
	check_is(hypercall(sched_op_compat, SCHEDOP_yield, 0), 0);
	check_is(hc_sched(SCHEDOP_yield, NULL), 0);
	check_is(hypercall(sched_op_compat, 77, 0), -ENOSYS);
	check_is(hc_sched(SCHEDOP_shutdown, (void *)0xdead000), -EFAULT);
}
