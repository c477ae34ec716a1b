/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(pt_pin, "page tables of each level are pinned once and unpinned once", ALSO_DOM0)
{
	u64 *table[4];

	for (unsigned int i = 0; i < 4; i++) {
		table[i] = page_alloc();
		if (i)
			table[i][0] = pte_make(virt_to_mfn(table[i - 1]), PTE_TABLE);
		else
			table[i][0] = pte_make(virt_to_mfn(&table), PTE_DATA);
		need(page_readonly(table[i]));
	}
	for (unsigned int i = 0; i < 4; i++) {
		u64 mfn = virt_to_mfn(table[i]);

		check_is(hc_mmuext(MMUEXT_PIN_L1_TABLE + i, mfn, 0), 0);
		check(hc_mmuext(MMUEXT_PIN_L1_TABLE + i, mfn, 0) < 0);
		check(page_writable(table[i]) < 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		u64 mfn = virt_to_mfn(table[i]);

		check_is(hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
		check(hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0) < 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		check_is(page_writable(table[i]), 0);
		page_free(table[i]);
	}
}
