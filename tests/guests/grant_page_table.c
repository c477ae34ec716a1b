/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C34, C18: the grant is one more way to a writable mapping. */
GUEST_TEST(grant_page_table,
	   "a page table is never mapped writable through a grant, nor the other way round",
	   ALSO_DOM0)
{
	u64 *table = page_alloc(), *view = page_alloc();
	domid_t self = guest_domid();
	u64 mfn = virt_to_mfn(table);
	grant_ref_t ref;
	struct gnttab_map_grant_ref m;

	need(page_readonly(table));
	need(hc_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	ref = grant_offer(self, mfn, 0);
	check(grant_map(self, ref, view, GNTMAP_host_map).status < 0);
	m = grant_map(self, ref, view, GNTMAP_host_map | GNTMAP_readonly);
	check_is(m.status, GNTST_okay);
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	need(hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	m = grant_map(self, ref, view, GNTMAP_host_map);
	check_is(m.status, GNTST_okay);
	check(hc_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0) < 0);
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	check_is(hc_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), 0);
	check_is(hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
	check(grant_end(ref));
	need(page_writable(view));
	need(page_writable(table));
	page_free(table);
	page_free(view);
}
