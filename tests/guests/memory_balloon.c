/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define PAGES 16

static struct xen_memory_reservation reservation(xen_pfn_t *list, u64 nr)
{
	struct xen_memory_reservation r = { .nr_extents = nr, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, list);
	return r;
}

/* C25, XSA-100: what comes back was scrubbed. */
GUEST_TEST(memory_balloon, "frames given back leave the guest, and those got are empty", 0)
{
	xen_pfn_t list[PAGES];
	u64 *page[PAGES];
	domid_t self = DOMID_SELF;
	long before = hc_memory(XENMEM_current_reservation, &self);
	struct xen_memory_reservation r = reservation(list, PAGES);

	for (unsigned int i = 0; i < PAGES; i++) {
		page[i] = page_alloc();
		memset(page[i], 0x5a, PAGE_SIZE);
		list[i] = virt_to_mfn(page[i]);
		need(map_page(page[i], 0));
	}
	check_is(hc_memory(XENMEM_decrease_reservation, &r), PAGES);
	check_is(hc_memory(XENMEM_current_reservation, &self), before - PAGES);
	check(map_page(page[0], pte_make(list[0], PTE_RO)) < 0); /* not ours any more */
	for (unsigned int i = 0; i < PAGES; i++)
		list[i] = virt_to_pfn(page[i]);
	check_is(hc_memory(XENMEM_populate_physmap, &r), PAGES);
	for (unsigned int i = 0; i < PAGES; i++) {
		check_is(mfn_to_pfn(list[i]), virt_to_pfn(page[i]));
		p2m_set(virt_to_pfn(page[i]), list[i]);
		need(page_writable(page[i]));
	}
	check_is(hc_memory(XENMEM_current_reservation, &self), before);
	r.nr_extents = 1;
	check_is(hc_memory(XENMEM_increase_reservation, &r), 1);
	for (unsigned int i = 0; i < PAGES; i++)
		for (unsigned int j = 0; j < 512; j++)
			check(page[i][j] != 0x5a5a5a5a5a5a5a5a);
}
