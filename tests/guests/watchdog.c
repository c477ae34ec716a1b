/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* The answer is an int: Xen 4.17 hands its errno out as 32 bits. */
static int set(u32 id, u32 seconds)
{
	struct sched_watchdog op = { id, seconds };

	return (int)hc_sched(SCHEDOP_watchdog, &op);
}

GUEST_TEST(watchdog, "a domain has two watchdogs that it sets, feeds and stops", 0)
{
	check_is(set(0, 100), 1);
	check_is(set(0, 100), 2);
	check(set(0, 100) < 0);
	check_is(set(1, 200), 0);
	check_is(set(1, 0), 0);
	check_is(set(2, 0), 0);
	check_is(set(3, 100), -EINVAL);
}
