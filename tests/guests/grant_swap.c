/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(grant_swap, "two grant entries change places, unless one is in use", ALSO_DOM0)
{
	u64 *a = page_alloc(), *b = page_alloc(), *view = page_alloc();
	domid_t self = guest_domid();
	struct gnttab_swap_grant_ref op = { grant_offer(self, virt_to_mfn(a), 0),
					    grant_offer(self, virt_to_mfn(b), GTF_readonly), 99 };
	struct gnttab_map_grant_ref m;

	check_is(hc_gnttab(GNTTABOP_swap_grant_ref, &op, 1), 0);
	check_is(op.status, GNTST_okay);
	check_is(grants_table()[op.ref_a].frame, virt_to_mfn(b));
	check_is(grants_table()[op.ref_b].frame, virt_to_mfn(a));
	m = grant_map(self, op.ref_b, view, GNTMAP_host_map);
	check_is(m.status, GNTST_okay);
	hc_gnttab(GNTTABOP_swap_grant_ref, &op, 1);
	check(op.status < 0);
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	check(grant_end(op.ref_a));
	check(grant_end(op.ref_b));
	need(page_writable(view));
	page_free(a);
	page_free(b);
	page_free(view);
}
