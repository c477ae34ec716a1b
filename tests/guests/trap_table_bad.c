/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C51: the hypervisor must never be made to jump or return to such an address. */
GUEST_TEST(trap_table_bad, "a trap handler at an address no guest may have is refused", ALSO_DOM0)
{
	struct trap_info t[2] = { { 200, 0, FLAT_KERNEL_CS, 0x0000800000000000UL }, { 0 } };

	check_is(hypercall(set_trap_table, t), -EINVAL);
	t[0].address = 0xffff7fffffffffffUL;
	check_is(hypercall(set_trap_table, t), -EINVAL);
	check_is(hypercall(set_trap_table, 0xdead000UL), -EFAULT);
	t[0].address = (unsigned long)page_alloc;
	check_is(hypercall(set_trap_table, t), 0);
	traps_init_vcpu();
}
