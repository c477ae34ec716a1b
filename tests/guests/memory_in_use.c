/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C24: a frame with references does not leave. */
GUEST_TEST(memory_in_use,
	   "page tables and granted pages cannot be given back while they are in use", 0)
{
	u64 *mine = page_alloc(), *view = page_alloc();
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
	struct gnttab_map_grant_ref m = grant_map(self, ref, view, GNTMAP_host_map);
	xen_pfn_t mfn = virt_to_mfn(pt_base());
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
	u64 mine_mfn = virt_to_mfn(mine);

	check_is(m.status, GNTST_okay);
	set_xen_guest_handle(r.extent_start, &mfn);
	hc_memory(XENMEM_decrease_reservation, &r); /* done or not, the table stays a table */
	check(!peek_faults(pt_base()));
	check(poke_faults(pt_base()));
	check(!peek_faults(mine));
	*(volatile u64 *)view = 0x99;
	need(map_page(mine, 0));
	mfn = mine_mfn;
	hc_memory(XENMEM_decrease_reservation, &r);
	check_is(*(volatile u64 *)view, 0x99); /* the mapping's reference keeps the frame */
	check_is(grant_unmap(m.handle, view), GNTST_okay);
}
