/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(grant_replace,
	   "unmap_and_replace puts another mapping of the guest in the grant's place", ALSO_DOM0)
{
	u64 *mine = page_alloc(), *view = page_alloc(), *spare = page_alloc();
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
	struct gnttab_map_grant_ref m;
	struct gnttab_unmap_and_replace op;
	u64 spare_mfn = virt_to_mfn(spare);

	spare[0] = 0x51;
	m = grant_map(self, ref, view, GNTMAP_host_map);
	check_is(m.status, GNTST_okay);
	op = (struct gnttab_unmap_and_replace){
		.host_addr = (u64)view, .new_addr = (u64)spare, .handle = m.handle, .status = 99};
	check_is(hc_gnttab(GNTTABOP_unmap_and_replace, &op, 1), 0);
	check_is(op.status, GNTST_okay);
	check_is(*(volatile u64 *)view, 0x51);
	check(peek_faults(spare));
	check(grant_end(ref));
	need(page_writable(view));
	need(map_page(spare, pte_make(spare_mfn, PTE_DATA)));
	page_free(mine);
	page_free(view);
	page_free(spare);
}
