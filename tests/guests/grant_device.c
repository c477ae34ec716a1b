/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(grant_device,
	   "a device mapping gives the bus address and pins the grant without a page-table entry",
	   ALSO_DOM0)
{
	u64 *mine = page_alloc();
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
	struct gnttab_map_grant_ref m = grant_map(self, ref, NULL, GNTMAP_device_map);
	struct gnttab_unmap_grant_ref u = {
		.handle = m.handle, .dev_bus_addr = m.dev_bus_addr, .status = 99};

	check_is(m.status, GNTST_okay);
	check_is(m.dev_bus_addr, virt_to_mfn(mine) << PAGE_SHIFT);
	check(!grant_end(ref));
	check_is(hc_gnttab(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	check_is(u.status, GNTST_okay);
	check(grant_end(ref));
	page_free(mine);
}
