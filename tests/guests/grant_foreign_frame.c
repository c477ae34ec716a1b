/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* P9: the granter names the frame; it must be its own. */
GUEST_TEST(grant_foreign_frame, "a grant of somebody else's frame gives nothing", 0)
{
	u64 *view = page_alloc();
	u64 top = (u64)hc_memory(XENMEM_maximum_ram_page, NULL);
	domid_t self = guest_domid();

	for (u64 mfn = 1; mfn <= top; mfn += 1 + top / 97) {
		grant_ref_t ref;
		struct gnttab_map_grant_ref m;

		if (mfn_to_pfn(mfn) < start_info->nr_pages && pfn_to_mfn(mfn_to_pfn(mfn)) == mfn)
			continue;
		ref = grant_offer(self, mfn, 0);
		m = grant_map(self, ref, view, GNTMAP_host_map);
		check(m.status < 0);
		check(grant_end(ref));
	}
	page_free(view);
}
