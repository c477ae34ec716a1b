/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define STUB 32

GUEST_TEST(hypercall_page, "a call through the hypercall page answers as syscall does", ALSO_DOM0)
{
	long (*stub)(unsigned int, void *) =
		(void *)(hypercall_page + __HYPERVISOR_xen_version * STUB);
	long direct = hc_version(XENVER_version, NULL);

	check(direct >= 4 << 16);
	check_is(stub(XENVER_version, NULL), direct);
}
