/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* I5, P9: the heart of direct paging. */
GUEST_TEST(pt_writable,
	   "a page table is never mapped writable, nor a writable page taken as one", ALSO_DOM0)
{
	u64 *table = page_alloc();
	u64 *l1 = (u64 *)((u64)pte_find(table, 1) & ~PAGE_OFFSET_MASK);
	u64 mfn = virt_to_mfn(table);

	check(hc_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0) < 0); /* mapped writable */
	check(page_writable(l1) < 0);			    /* in use as a table */
	check(page_writable(pt_base()) < 0);
	check(hc_mmu_update(pte_maddr(table, 2), pte_make(mfn, PTE_TABLE)) < 0);
	need(page_readonly(table));
	check_is(hc_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), 0);
	check(hc_mmu_update(pte_maddr(table, 1), pte_make(mfn, PTE_DATA)) < 0);
	check_is(hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
	check_is(page_writable(table), 0);
	page_free(table);
}
