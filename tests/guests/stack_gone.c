/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C53: the whole frame is checked, not its first byte. */
GUEST_TEST_DIES(stack_gone, "a trap on a kernel stack that is not there ends the guest",
		"kernel stack .* cannot be written|Fault while writing.*stack|domain_crash")
{
	__asm__ volatile("mov $0x2000, %rsp; ud2");
}
