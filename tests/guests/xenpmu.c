/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(xenpmu, "performance counters are not offered", ALSO_DOM0)
{
	u64 params[8] = { 0 };

	check_is(hypercall(xenpmu_op, 0 /* XENPMU_mode_get */, params), -EOPNOTSUPP);
}
