/* SPDX-License-Identifier: MIT */
#include "claim.h"

/*
 * C18, XSA-401, XSA-408: a writable translation that is still in the TLB when the frame becomes a
 * page table would be a writable page table.
 */
static u64 evil;

/* As an entry: a page table, mapped writable. The hypervisor refuses to store it for us. */
static void store(void *slot)
{
	*(volatile u64 *)slot = evil;
}

GUEST_TEST(pt_stale,
	   "no stale writable translation is left when a frame becomes a page table", ALSO_DOM0)
{
	u64 *table = page_alloc();
	u64 mfn = virt_to_mfn(table);

	evil = pte_make(virt_to_mfn(pt_base()), PTE_DATA);
	for (unsigned int round = 0; round < 50; round++) {
		*(volatile u64 *)table = 0; /* warm the TLB */
		need(hc_update_va(table, pte_make(mfn, PTE_RO), UVMF_NONE)); /* no flush asked */
		need(hc_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
		check(guard_run(store, table).happened);
		check_is(table[0], 0);
		need(hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
		need(page_writable(table));
	}
	page_free(table);
}
