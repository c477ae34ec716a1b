/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C58. */
GUEST_TEST(multicall_nested, "neither a multicall nor iret runs inside a multicall", ALSO_DOM0)
{
	struct multicall_entry inner = { .op = __HYPERVISOR_xen_version };
	struct multicall_entry call[2] = {
		{ .op = __HYPERVISOR_multicall, .args = { (unsigned long)&inner, 1 } },
		{ .op = __HYPERVISOR_iret },
	};

	check_is(hypercall(multicall, call, 2), 0);
	check((long)call[0].result < 0);
	check((long)call[1].result < 0);
}
