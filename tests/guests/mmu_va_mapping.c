/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(mmu_va_mapping,
	   "update_va_mapping replaces a mapping, with every kind of flush", ALSO_DOM0)
{
	static const unsigned int flushes[] = { UVMF_NONE | UVMF_TLB_FLUSH | UVMF_LOCAL,
						UVMF_TLB_FLUSH | UVMF_ALL, UVMF_INVLPG | UVMF_LOCAL,
						UVMF_INVLPG | UVMF_ALL };
	u8 *a = page_alloc(), *b = page_alloc();
	u64 mfn_a = virt_to_mfn(a), mfn_b = virt_to_mfn(b);

	a[0] = 1;
	b[0] = 2;
	for (size_t i = 0; i < ARRAY_SIZE(flushes); i++) {
		check_is(hc_update_va(a, pte_make(mfn_b, PTE_DATA), flushes[i]), 0);
		check_is(*(volatile u8 *)a, 2);
		check_is(hc_update_va(a, pte_make(mfn_a, PTE_DATA), flushes[i]), 0);
		check_is(*(volatile u8 *)a, 1);
	}
	check_is(hc_update_va(a, 0, UVMF_INVLPG), 0);
	check(peek_faults(a));
	check_is(hc_update_va(a, pte_make(mfn_a, PTE_DATA), UVMF_INVLPG), 0);
	check(hc_update_va((void *)0x7000000000, pte_make(mfn_a, PTE_DATA), 0) < 0); /* no table */
	page_free(a);
	page_free(b);
}
