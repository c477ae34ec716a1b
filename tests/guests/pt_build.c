/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(pt_build,
	   "new tables are hung in from the top and the page below them is there", ALSO_DOM0)
{
	void *va = (void *)0x40000000000UL;
	u64 *page = page_alloc();

	page[0] = 0x5151;
	need(tables_make(va));
	check_is(hc_update_va(va, pte_make(virt_to_mfn(page), PTE_DATA), UVMF_INVLPG), 0);
	check_is(*(volatile u64 *)va, 0x5151);
	check_is(hc_mmu_update(pte_maddr(va, 4), 0), 0);
	need(hc_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
	check(peek_faults(va));
	page_free(page);
}
