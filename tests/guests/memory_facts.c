/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(memory_facts, "a guest learns how much memory it has and may have", 0)
{
	domid_t self = DOMID_SELF, other = 0;
	struct xen_machphys_mapping m2p = { 0 };
	long current = hc_memory(XENMEM_current_reservation, &self);

	check_is(current, start_info->nr_pages);
	check(hc_memory(XENMEM_maximum_reservation, &self) >= current);
	check(hc_memory(XENMEM_maximum_ram_page, NULL) > current);
	/* Tools restore a guest by it before the guest has said anything in its shared page. */
	check_is(hc_memory(XENMEM_maximum_gpfn, &self), 0);
	check_is(hc_memory(XENMEM_machphys_mapping, &m2p), 0);
	check_is(m2p.v_start, MACH2PHYS_VIRT_START);
	check(m2p.max_mfn >= virt_to_mfn(&self));
	check_is(hc_memory(XENMEM_get_sharing_freed_pages, NULL), 0);
	check_is(hc_memory(XENMEM_get_sharing_shared_pages, NULL), 0);
	check_is(hc_memory(XENMEM_current_reservation, &other), -EPERM);
	check_is(hc_memory(XENMEM_maximum_reservation, (void *)0xdead000), -EFAULT);
}
