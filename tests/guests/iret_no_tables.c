/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST_DIES(iret_no_tables, "iret to user mode without user page tables ends the guest",
		"without user page tables|Guest switching to user mode with no user page tables")
{
	hc_mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0);
	__asm__ volatile("mov %%rsp, %%rax; push %0; push %%rax; push $0x202; push %1; push $0;"
			 "push $0; push $0; push $0; push $0; mov %2, %%eax; syscall"
			 ::"r"((u64)FLAT_USER_SS), "r"((u64)FLAT_USER_CS), "i"(__HYPERVISOR_iret)
			 : "rax");
}
