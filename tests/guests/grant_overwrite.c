/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C32, C34, XSA-224: the mapping's references must not be dropped twice, nor by a plain entry. */
GUEST_TEST(grant_overwrite,
	   "overwriting a grant's page-table entry leaves the counts right", ALSO_DOM0)
{
	u64 *mine = page_alloc(), *view = page_alloc();
	u64 view_mfn = virt_to_mfn(view);
	domid_t self = guest_domid();

	for (unsigned int i = 0; i < 20; i++) {
		grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
		struct gnttab_map_grant_ref m = grant_map(self, ref, view, GNTMAP_host_map);

		check_is(m.status, GNTST_okay);
		need(map_page(view, pte_make(view_mfn, PTE_DATA)));
		check(!grant_end(ref)); /* still pinned: the mapping was not undone by its handle */
		check(grant_unmap(m.handle, view) < 0);
		check(!poke_faults(view));
		/* a mapping of the same frame by hand is no grant's: refused too, then by force */
		need(map_page(view, pte_make(virt_to_mfn(mine), PTE_DATA)));
		grant_unmap(m.handle, view);
		need(map_page(view, pte_make(view_mfn, PTE_DATA)));
		if (i == 0)
			check(!poke_faults(mine));
	}
	/* with the counts wrong, a table could be pinned while mapped writable */
	check(hc_mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(mine), 0) < 0);
}
