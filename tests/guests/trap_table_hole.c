/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C51. Xen 4.17 takes it: its handler would fault when entered, the guest's own loss. */
GUEST_TEST(trap_table_hole,
	   "a trap handler inside the hypervisor's addresses is refused", ALSO_DOM0)
{
	struct trap_info t[2] =
		{ { 200, 0, FLAT_KERNEL_CS, HYPERVISOR_VIRT_START + 0x1000 }, { 0 } };

	check_is(hypercall(set_trap_table, t), -EINVAL);
}
