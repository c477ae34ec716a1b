/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C27. */
GUEST_TEST(memory_limit, "a guest gets no more than its limit, and absurd requests nothing", 0)
{
	static xen_pfn_t list[2048];
	struct xen_memory_reservation r = { .nr_extents = 2048, .domid = DOMID_SELF };
	domid_t self = DOMID_SELF;
	long room = hc_memory(XENMEM_maximum_reservation, &self) -
		    hc_memory(XENMEM_current_reservation, &self);

	check(room < 2048);
	set_xen_guest_handle(r.extent_start, list);
	check_is(hc_memory(XENMEM_populate_physmap, &r), room);
	check_is(hc_memory(XENMEM_populate_physmap, &r), 0);
	r.extent_order = 40;
	check_is(hc_memory(XENMEM_populate_physmap, &r) > 0, 0);
	r.extent_order = 0;
	r.nr_extents = ~0UL;
	check_is(hc_memory(XENMEM_populate_physmap, &r) > 0, 0);
	r.nr_extents = 1;
	r.domid = 0;
	check(hc_memory(XENMEM_populate_physmap, &r) <= 0);
	r.domid = DOMID_SELF;
	set_xen_guest_handle(r.extent_start, (void *)(HYPERVISOR_VIRT_START + 0x1000));
	check(hc_memory(XENMEM_decrease_reservation, &r) <= 0);
}
