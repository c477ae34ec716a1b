/* SPDX-License-Identifier: MIT */
#include "claim.h"

extern char entry_32[], entry_failsafe[], entry_33[];

static void call_kernel(void *arg)
{
	__asm__ volatile("syscall" ::"a"(77UL) : "rcx", "r11");
}

GUEST_TEST(set_callbacks,
	   "the old call sets event, failsafe and syscall entries at once", ALSO_DOM0)
{
	struct fault f;

	check_is(hypercall(set_callbacks, entry_32, entry_failsafe, entry_33), 0);
	f = user_run(call_kernel, NULL);
	check_is(f.vector, ENTRY_SYSCALL);
	check_is(f.frame.rax, 77);
	traps_init_vcpu();
}
