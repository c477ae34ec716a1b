/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void use_fpu(void *arg)
{
	__asm__ volatile("fninit");
}

GUEST_TEST(fpu, "after fpu_taskswitch(1) the first FPU instruction is the guest's #NM", ALSO_DOM0)
{
	struct fault f;

	check_is(hypercall(fpu_taskswitch, 1), 0);
	f = guard_run(use_fpu, NULL);
	check(f.happened);
	check_is(f.vector, TRAP_NM);
	check(!guard_run(use_fpu, NULL).happened); /* cleared when the handler ran */
	check_is(hypercall(fpu_taskswitch, 1), 0);
	check_is(hypercall(fpu_taskswitch, 0), 0);
	check(!guard_run(use_fpu, NULL).happened);
}
