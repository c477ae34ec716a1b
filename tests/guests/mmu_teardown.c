/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define TABLES 20

/* C21, D9: the boot test counts the frames afterwards. */
GUEST_TEST(mmu_teardown,
	   "a domain that ends with pinned tables leaves none of its frames behind", 0)
{
	for (unsigned int i = 0; i < TABLES; i++) {
		u64 *l1 = page_alloc(), *l2 = page_alloc(), *data = page_alloc();

		for (unsigned int j = 0; j < 512; j++) {
			l1[j] = pte_make(virt_to_mfn(data), PTE_DATA);
			l2[j] = pte_make(virt_to_mfn(l1), PTE_TABLE);
		}
		need(page_readonly(l1));
		need(page_readonly(l2));
		check_is(hc_mmuext(MMUEXT_PIN_L2_TABLE, virt_to_mfn(l2), 0), 0);
	}
}
