/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C32: handles are used once, by their mapper, for what they stand for. */
GUEST_TEST(grant_handle, "a handle unmaps its own mapping, once", ALSO_DOM0)
{
	u64 *mine = page_alloc(), *view = page_alloc(), *plain = page_alloc();
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
	struct gnttab_map_grant_ref m = grant_map(self, ref, view, GNTMAP_host_map);

	check_is(m.status, GNTST_okay);
	check_is(grant_unmap(m.handle + 1, view), GNTST_bad_handle);
	check_is(grant_unmap(~0u, view), GNTST_bad_handle);
	check(grant_unmap(m.handle, plain) < 0);
	check(!poke_faults(plain));
	check(!poke_faults(view));
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	check_is(grant_unmap(m.handle, view), GNTST_bad_handle);
	check(grant_end(ref));
	need(page_writable(view));
	page_free(mine);
	page_free(view);
	page_free(plain);
}
