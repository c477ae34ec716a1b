/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void int82(void *arg)
{
	__asm__ volatile("int $0x82");
}

static void int13(void *arg)
{
	__asm__ volatile("int $13");
}

static void int3(void *arg)
{
	__asm__ volatile("int3");
}

GUEST_TEST(user_gates, "int enters only gates that the kernel opened to user mode", ALSO_DOM0)
{
	struct fault f = user_run(int3, NULL);

	check_is(f.vector, TRAP_BP);
	f = user_run(int13, NULL);
	check_is(f.vector, TRAP_GP);
	check(f.error & 2);
	f = user_run(int82, NULL);
	check_is(f.vector, ENTRY_INT);
}
