/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(memory_refused, "operations of the toolstack are refused to a domU", 0)
{
	struct xen_memory_map map = { .nr_entries = 1 };
	struct xen_memory_reservation claim = { .nr_extents = 1, .domid = 0 };
	struct xen_mem_acquire_resource resource = { .domid = 0 };
	struct xen_foreign_memory_map foreign = { .domid = 0 };

	check_is(hc_memory(XENMEM_machine_memory_map, &map), -EPERM);
	check_is(hc_memory(XENMEM_claim_pages, &claim), -EPERM);
	check_is(hc_memory(XENMEM_acquire_resource, &resource), -EPERM);
	check_is(hc_memory(XENMEM_set_memory_map, &foreign), -EPERM);
}
