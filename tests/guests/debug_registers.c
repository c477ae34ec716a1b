/* SPDX-License-Identifier: MIT */
#include "claim.h"

static char watched[8] __attribute__((aligned(8)));

static void store(void *arg)
{
	*(volatile char *)watched = 1;
}

GUEST_TEST(debug_registers, "debug registers hold guest addresses only, and fire", ALSO_DOM0)
{
	struct fault f;

	check_is(hypercall(set_debugreg, 0, watched), 0);
	check_is(hypercall(get_debugreg, 0), watched);
	check_is(hypercall(set_debugreg, 7, 0xd0402), 0); /* DR0, write, four bytes */
	f = guard_run(store, NULL);
	check_is(hypercall(set_debugreg, 7, 0), 0);
	check(f.happened);
	check_is(f.vector, TRAP_DB);
	check_is(hypercall(get_debugreg, 6) & 1, 1);
	check_is(hypercall(set_debugreg, 6, 0), 0);
	check_is(hypercall(set_debugreg, 0, HYPERVISOR_VIRT_START + 0x1000), -EPERM);
	check_is(hypercall(set_debugreg, 0, 0x0000900000000000UL), -EPERM);
	check_is(hypercall(set_debugreg, 9, 0), -ENODEV);
	check_is(hypercall(get_debugreg, 9), -ENODEV);
	check_is(hypercall(set_debugreg, 0, 0), 0);
}
