/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define FIRST 256
#define LAST 271

/* I9. */
GUEST_TEST(pt_hole, "the hypervisor's slots of a top-level table cannot be written", ALSO_DOM0)
{
	u64 base = virt_to_mfn(pt_base()) << PAGE_SHIFT;
	u64 *l3 = page_alloc();

	need(page_readonly(l3));
	for (unsigned int slot = FIRST; slot <= LAST; slot++) {
		check(hc_mmu_update(base + slot * 8, pte_make(virt_to_mfn(l3), PTE_TABLE)) < 0);
		check(hc_mmu_update(base + slot * 8, 0) < 0);
	}
	check_is(hc_mmu_update(base + (LAST + 1) * 8, pte_make(virt_to_mfn(l3), PTE_TABLE)), 0);
	check_is(hc_mmu_update(base + (LAST + 1) * 8, 0), 0);
	need(page_writable(l3));
	page_free(l3);
}
