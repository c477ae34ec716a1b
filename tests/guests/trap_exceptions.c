/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void divide(void *arg)
{
	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; mov $1, %%eax; div %%ecx" ::
				 : "eax", "ecx", "edx");
}

static void breakpoint(void *arg)
{
	__asm__ volatile("int3");
}

static void undefined(void *arg)
{
	__asm__ volatile("ud2");
}

static void bad_segment(void *arg)
{
	__asm__ volatile("mov %0, %%fs" ::"r"(0x4448));
}

GUEST_TEST(trap_exceptions,
	   "each exception enters its gate with its vector and error code", ALSO_DOM0)
{
	static const struct {
		void (*fn)(void *);
		unsigned int vector;
		u64 error;
	} cases[] = {
		{ divide, TRAP_DE, 0 },	       { breakpoint, TRAP_BP, 0 },
		{ undefined, TRAP_UD, 0 },
		{ bad_segment, TRAP_GP, 0x4448 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault f = guard_run(cases[i].fn, NULL);

		check(f.happened);
		check_is(f.vector, cases[i].vector);
		check_is(f.error, cases[i].error);
		check_is(f.frame.cs & 3, 0); /* a guest kernel sees itself in ring 0 */
	}
}
