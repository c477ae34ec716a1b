/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(clock, "time never goes back, and the wall clock was set", ALSO_DOM0)
{
	u64 last = clock_ns();

	for (unsigned int i = 0; i < 2000; i++) {
		u64 now = clock_ns();

		check(now >= last);
		last = now;
		if (i % 100 == 0)
			hc_sched(SCHEDOP_yield, NULL);
	}
	check(shared_info->wc_sec > 1000000000);
}
