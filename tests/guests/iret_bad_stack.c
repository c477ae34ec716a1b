/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST_DIES(iret_bad_stack, "iret from a stack that is not there ends the guest",
		"iret frame at .* cannot be read|reading IRET context|domain_crash")
{
	__asm__ volatile("mov $0x1000, %%rsp; mov %0, %%eax; syscall" ::"i"(__HYPERVISOR_iret));
}
