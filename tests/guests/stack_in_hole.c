/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C53, XSA-215: the frame would reach from the guest's half into the hypervisor's. */
GUEST_TEST_DIES(stack_in_hole, "a kernel stack at the hypervisor's addresses ends the guest",
		"kernel stack .* cannot be written|Fault while writing.*stack|domain_crash")
{
	__asm__ volatile("mov %0, %%rsp; ud2" ::"r"(HYPERVISOR_VIRT_START + 0x18));
}
