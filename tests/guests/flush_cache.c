/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(flush_cache, "a domU without devices may not flush the machine's caches", 0)
{
	check_is(hc_mmuext(MMUEXT_FLUSH_CACHE, 0, 0), -EACCES);
	check(hc_mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0) < 0);
}
