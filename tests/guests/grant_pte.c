/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(grant_pte,
	   "a grant is mapped at a page-table entry named by its machine address (C34)", ALSO_DOM0)
{
	u64 *mine = page_alloc(), *view = page_alloc(), *plain = page_alloc();
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
	const u32 flags = GNTMAP_host_map | GNTMAP_contains_pte;
	u64 slot = pte_maddr(view, 1);
	struct gnttab_map_grant_ref m;

	mine[0] = 0x77;
	check(grant_map(self, ref, (void *)(slot + 4), flags).status < 0);
	check(grant_map(self, ref, (void *)(virt_to_mfn(plain) << PAGE_SHIFT), flags).status < 0);
	check(grant_map(self, ref, (void *)pte_maddr(view, 2), flags).status < 0);
	m = grant_map(self, ref, (void *)slot, flags);
	check_is(m.status, GNTST_okay);
	need(hc_mmuext(MMUEXT_INVLPG_LOCAL, (u64)view, 0));
	check_is(*(volatile u64 *)view, 0x77);
	check(grant_unmap(m.handle, (void *)pte_maddr(plain, 1)) < 0);
	check_is(grant_unmap(m.handle, (void *)slot), GNTST_okay);
	check(peek_faults(view));
	check(grant_end(ref));
	need(page_writable(view));
	page_free(mine);
	page_free(view);
	page_free(plain);
}
