/* SPDX-License-Identifier: MIT */
#include "claim.h"

/*
 * C26, XSA-212: the subrange of each array, not only its start, lies outside the hypervisor's
 * hole.
 */
GUEST_TEST(memory_exchange_bad, "exchange writes nowhere but into the guest", 0)
{
	u64 *page = page_alloc();
	xen_pfn_t in[2] = { virt_to_mfn(page), virt_to_mfn(page) }, out[2] = { 0 };
	struct xen_memory_exchange x = { .in = { .nr_extents = 1, .domid = DOMID_SELF },
					 .out = { .nr_extents = 1, .domid = DOMID_SELF } };

	need(map_page(page, 0));
	set_xen_guest_handle(x.in.extent_start, in);
	set_xen_guest_handle(x.out.extent_start, (void *)(HYPERVISOR_VIRT_START + 0x1000));
	check(hc_memory(XENMEM_exchange, &x) < 0);
	set_xen_guest_handle(x.out.extent_start,
			     (void *)(HYPERVISOR_VIRT_START - 8 * 0x1000UL));
	x.nr_exchanged = 0x2000;
	x.in.nr_extents = x.out.nr_extents = 0x2001;
	check(hc_memory(XENMEM_exchange, &x) < 0);
	set_xen_guest_handle(x.out.extent_start, out);
	x.nr_exchanged = 0;
	x.in.nr_extents = x.out.nr_extents = 2;
	check(hc_memory(XENMEM_exchange, &x) < 0 || x.nr_exchanged < 2); /* one frame named twice */
	x.in.extent_order = 60;
	check(hc_memory(XENMEM_exchange, &x) < 0);
}
