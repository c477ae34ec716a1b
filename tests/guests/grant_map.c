/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(grant_map, "a granted page is mapped and shared; its entry is busy meanwhile", ALSO_DOM0)
{
	volatile u64 *mine = page_alloc();
	volatile u64 *view = page_alloc();
	struct gnttab_map_grant_ref m;
	grant_ref_t ref;

	*mine = 1;
	need(map_page((void *)view, 0)); /* nothing of it in the TLB */
	ref = grant_offer(guest_domid(), virt_to_mfn((void *)mine), 0);
	m = grant_map(guest_domid(), ref, (void *)view, GNTMAP_host_map);
	check_is(m.status, GNTST_okay);
	check_is(m.dev_bus_addr >> PAGE_SHIFT, virt_to_mfn((void *)mine));
	check_is(*view, 1);
	*view = 2;
	check_is(*mine, 2);
	check_is(grants_table()[ref].flags & (GTF_reading | GTF_writing),
		 GTF_reading | GTF_writing);
	check(!grant_end(ref));
	check_is(grant_unmap(m.handle, (void *)view), GNTST_okay);
	check_is(grants_table()[ref].flags & (GTF_reading | GTF_writing), 0);
	check(grant_end(ref));
	check(peek_faults((void *)view)); /* C33: nothing stale */
	need(page_writable((void *)view));
	page_free((void *)mine);
	page_free((void *)view);
}
