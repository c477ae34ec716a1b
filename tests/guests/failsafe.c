/* SPDX-License-Identifier: MIT */
#include "claim.h"

static bool failed_safely;

static bool on_failsafe(struct trap_frame *f)
{
	if (f->vector == ENTRY_FAILSAFE)
		failed_safely = true;
	return false; /* the guard takes over */
}

/* Back to the kernel itself, with no code segment. */
static void bad_iret(void *arg)
{
	__asm__ volatile("mov %%rsp, %%rax; push %0; push %%rax; push $0x202; push $0; push $1f;"
			 "push $0; push $0; push $0; push $0; mov %1, %%eax; syscall; 1:"
			 ::"r"((u64)FLAT_KERNEL_SS), "i"(__HYPERVISOR_iret)
			 : "rax", "rcx", "r11", "memory");
}

GUEST_TEST(failsafe,
	   "a frame that the CPU cannot return to enters the failsafe callback", ALSO_DOM0)
{
	struct fault f;

	trap_hook(on_failsafe);
	f = guard_run(bad_iret, NULL);
	check(f.happened);
	check(failed_safely);
}
