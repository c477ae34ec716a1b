/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(hypercall_unknown, "a hypercall that does not exist answers ENOSYS", ALSO_DOM0)
{
	static const u64 numbers[] = { 11, 63, 64, 1000, 1UL << 31, 1UL << 32, ~0UL };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		check_is(hypercall6(numbers[i], 1, 2, 3, 4, 5, 6), -ENOSYS);
	check_is(hypercall(sched_op, 99, NULL), -ENOSYS);
	check_is(hc_evtchn(99, NULL), -ENOSYS);
	check_is(hc_memory(63, NULL), -ENOSYS);
	check_is(hc_vcpu(99, 0, NULL), -ENOSYS);
	check_is(hc_callback(99, NULL), -ENOSYS);
}
