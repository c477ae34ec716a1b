/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST_DIES(no_handler, "an exception without a handler ends the guest and names it",
		"no guest handler for trap 6|domain_crash")
{
	hypercall(set_trap_table, NULL);
	__asm__ volatile("ud2");
}
