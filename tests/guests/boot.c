/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(boot,
	   "a PV kernel starts with its start_info, shared page, clock and console", ALSO_DOM0)
{
	u64 before;

	check(strncmp((const char *)start_info->magic, "xen-3.0-x86_64", 14) == 0);
	check(start_info->nr_pages >= 512);
	check(start_info->nr_pt_frames >= 4);
	check(pages_left() >= 100);
	before = clock_ns();
	check(before > 0);
	sleep_ns(3 * NS_PER_MS);
	check(clock_ns() - before >= 3 * NS_PER_MS);
	check(clock_ns() - before < NS_PER_S);
}
