/* SPDX-License-Identifier: MIT */
#include "claim.h"

static u64 own_stack;

static void call_kernel(void *arg)
{
	own_stack = (u64)__builtin_frame_address(0);
	__asm__ volatile("mov %0, %%rdi; syscall" ::"r"(arg), "a"((u64)__HYPERVISOR_sched_op),
			 "S"(SCHEDOP_shutdown)
			 : "rcx", "r11", "rdi");
}

/* D10: with shutdown's number and arguments in the registers, a hypercall would end the guest. */
GUEST_TEST(user_syscall,
	   "syscall in user mode enters the guest's kernel, never the hypervisor", ALSO_DOM0)
{
	struct fault f = user_run(call_kernel, &(struct sched_shutdown){ SHUTDOWN_poweroff });

	check(f.happened);
	check_is(f.vector, ENTRY_SYSCALL);
	check_is(f.frame.rax, __HYPERVISOR_sched_op);
	check_is(f.frame.cs & 3, 3);
	check(f.frame.rsp <= own_stack && own_stack - f.frame.rsp < 8192);
}
