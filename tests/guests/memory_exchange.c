/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(memory_exchange, "frames are swapped for others, whole or not at all", 0)
{
	u64 *page = page_alloc();
	xen_pfn_t in = virt_to_mfn(page), out = virt_to_pfn(page);
	struct xen_memory_exchange x = { .in = { .nr_extents = 1, .domid = DOMID_SELF },
					 .out = { .nr_extents = 1, .domid = DOMID_SELF } };

	set_xen_guest_handle(x.in.extent_start, &in);
	set_xen_guest_handle(x.out.extent_start, &out);
	page[0] = 0x42;
	check(hc_memory(XENMEM_exchange, &x) < 0); /* mapped: in use */
	check_is(page[0], 0x42);
	need(map_page(page, 0));
	x.nr_exchanged = 0;
	check_is(hc_memory(XENMEM_exchange, &x), 0);
	check_is(x.nr_exchanged, 1);
	check(out != in);
	p2m_set(virt_to_pfn(page), out);
	check_is(mfn_to_pfn(out), virt_to_pfn(page));
	need(page_writable(page));
	check(page[0] != 0x42);
	check(hc_update_va(page, pte_make(in, PTE_RO), 0) < 0);
}
