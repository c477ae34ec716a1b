/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void read_flags(void *out)
{
	u64 flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	*(u64 *)out = flags;
}

static void return_with_flags(void *arg)
{
	/* IOPL 3, NT and VM asked for */
	__asm__ volatile("mov %%rsp, %%rax; push %2; push %%rax; push $0x27202; push %0; push $1f;"
			 "push $0; push $0; push $0; push $0; mov %1, %%eax; syscall; 1:"
			 ::"r"((u64)(FLAT_KERNEL_CS & ~3)), "i"(__HYPERVISOR_iret),
			 "r"((u64)FLAT_KERNEL_SS)
			 : "rax", "rcx", "r11", "memory");
	read_flags(arg);
}

/* C52. */
GUEST_TEST(iret_flags, "iret gives a guest neither I/O privilege nor virtual-8086 mode", ALSO_DOM0)
{
	u64 flags = ~0UL;

	check(!guard_run(return_with_flags, &flags).happened);
	check_is(flags >> 12 & 3, 0);
	check_is(flags >> 17 & 1, 0);
	check(flags & 0x200);
	__asm__ volatile("push $2; popf" ::: "cc", "memory");
}
