/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(grant_readonly,
	   "a read-only grant is never mapped writable, a read-only mapping never written",
	   ALSO_DOM0)
{
	u64 *mine = page_alloc(), *view = page_alloc();
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), GTF_readonly);
	struct gnttab_map_grant_ref m = grant_map(self, ref, view, GNTMAP_host_map);

	check_is(m.status, GNTST_general_error);
	check(!poke_faults(view)); /* the old mapping stands */
	need(map_page(view, 0)); /* nothing of it in the TLB */
	m = grant_map(self, ref, view, GNTMAP_host_map | GNTMAP_readonly);
	check_is(m.status, GNTST_okay);
	check(!peek_faults(view));
	check(poke_faults(view));
	check_is(grants_table()[ref].flags & (GTF_reading | GTF_writing), GTF_reading);
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	check(grant_end(ref));
	need(page_writable(view));
	page_free(mine);
	page_free(view);
}
