/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define VIEWS 60

GUEST_TEST(grant_limit, "many mappings of one grant are counted, and end one by one", ALSO_DOM0)
{
	u64 *mine = page_alloc(), *view[VIEWS];
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
	grant_handle_t handle[VIEWS];

	for (unsigned int i = 0; i < VIEWS; i++) {
		struct gnttab_map_grant_ref m;

		view[i] = page_alloc();
		m = grant_map(self, ref, view[i], GNTMAP_host_map | (i % 2 ? GNTMAP_readonly : 0));
		check_is(m.status, GNTST_okay);
		handle[i] = m.handle;
	}
	for (unsigned int i = 0; i < VIEWS; i++) {
		check(!grant_end(ref));
		check_is(grant_unmap(handle[i], view[i]), GNTST_okay);
		need(page_writable(view[i]));
		page_free(view[i]);
	}
	check(grant_end(ref));
	page_free(mine);
}
