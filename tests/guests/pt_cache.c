/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C29, XSA-154: two views of one frame with different caching is stale data for everybody. */
GUEST_TEST(pt_cache, "a domU maps its memory write-back only", 0)
{
	void *page = page_alloc();
	u64 good = pte_make(virt_to_mfn(page), PTE_DATA);

	check(map_page(page, good | PTE_PCD) < 0);
	check(map_page(page, good | PTE_PWT) < 0);
	check(map_page(page, good | PTE_PCD | PTE_PWT) < 0);
	check(map_page(page, good | 1UL << 7) < 0); /* PAT */
	check(!poke_faults(page));
	page_free(page);
}
