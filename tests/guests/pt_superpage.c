/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C17, XSA-148: the frame behind a large entry is never checked, so there must be none. */
GUEST_TEST(pt_superpage, "a large page is refused at every level, before any fast path", ALSO_DOM0)
{
	void *page = page_alloc();
	u64 l2 = *pte_find(page, 2), l3 = *pte_find(page, 3);

	check(hc_mmu_update(pte_maddr(page, 2), l2 | PTE_PS) < 0);
	check(hc_mmu_update(pte_maddr(page, 3), l3 | PTE_PS) < 0);
	check(hc_mmu_update(pte_maddr(page, 2), (l2 & ~PTE_ADDR) | PTE_PS | PTE_RW) < 0);
	check_is(hc_mmu_update(pte_maddr(page, 2) | MMU_PT_UPDATE_PRESERVE_AD, l2), 0);
	check(hc_mmu_update(pte_maddr(page, 2) | MMU_PT_UPDATE_PRESERVE_AD, l2 | PTE_PS) < 0);
	check(!poke_faults(page));
	page_free(page);
}
