/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define PAGES 64

/*
 * A frame that is given back and still mapped is still held: it counts, or there would be no limit.
 */
GUEST_TEST(memory_given_back, "frames given back count until their last mapping is gone", 0)
{
	static xen_pfn_t mapped[PAGES], more[2048];
	static u64 *page[PAGES];
	struct xen_memory_reservation back = { .nr_extents = PAGES, .domid = DOMID_SELF };
	struct xen_memory_reservation get = { .nr_extents = 2048, .domid = DOMID_SELF };
	domid_t self = DOMID_SELF;
	long room;

	for (unsigned int i = 0; i < PAGES; i++) {
		page[i] = page_alloc();
		mapped[i] = virt_to_mfn(page[i]);
	}
	set_xen_guest_handle(back.extent_start, mapped);
	set_xen_guest_handle(get.extent_start, more);
	room = hc_memory(XENMEM_maximum_reservation, &self) -
	       hc_memory(XENMEM_current_reservation, &self);
	check(room >= 0);
	check_is(hc_memory(XENMEM_decrease_reservation, &back), PAGES);
	check_is(hc_memory(XENMEM_populate_physmap, &get), room);
	for (unsigned int i = 0; i < PAGES; i++)
		need(map_page(page[i], 0));
	check_is(hc_memory(XENMEM_populate_physmap, &get), PAGES);
}
