/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define LDT_CODE 0x00aff8000000ffffUL

static bool failed_safely;

static bool on_failsafe(struct trap_frame *f)
{
	if (f->vector == ENTRY_FAILSAFE)
		failed_safely = true;
	return false; /* the guard takes over */
}

/* Back to the kernel itself, with @selector as its code segment. */
static void iret_to(void *selector)
{
	__asm__ volatile("mov %%rsp, %%rax; push %0; push %%rax; push $0x202; push %2; push $1f;"
			 "push $0; push $0; push $0; push $0; mov %1, %%eax; syscall; 1:"
			 ::"r"((u64)FLAT_KERNEL_SS), "i"(__HYPERVISOR_iret), "r"(selector)
			 : "rax", "rcx", "r11", "memory");
}

GUEST_TEST(iret_fault,
	   "a frame that the CPU cannot return to faults at the exception's own gate", ALSO_DOM0)
{
	u64 *table = page_alloc();
	struct fault f;

	trap_hook(on_failsafe);
	f = guard_run(iret_to, NULL);
	check(f.happened && f.vector == TRAP_GP);
	check_is(f.error, 0);
	check_is(f.frame.cs & 0xffff, 0);
	f = guard_run(iret_to, (void *)0x1000UL); /* beyond the guest's table */
	check(f.happened && f.vector == TRAP_GP);
	check_is(f.error, 0x1000);
	/* in a table that cannot be one: a page fault where the guest has it */
	table[3] = LDT_CODE;
	need(hc_mmuext(MMUEXT_SET_LDT, (u64)table, 16));
	f = guard_run(iret_to, (void *)(3UL << 3 | 4));
	check(f.happened && f.vector == TRAP_PF);
	check_is(f.address, (u64)&table[3]);
	need(hc_mmuext(MMUEXT_SET_LDT, 0, 0));
	check(!failed_safely);
	page_free(table);
}
