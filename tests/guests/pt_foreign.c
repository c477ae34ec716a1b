/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C28, P9: frames that are not the guest's. */
GUEST_TEST(pt_foreign, "no frame of the hypervisor, of dom0, or of nobody can be mapped", 0)
{
	u64 *page = page_alloc();
	u64 top = (u64)hc_memory(XENMEM_maximum_ram_page, NULL);
	u64 mine = virt_to_mfn(page), tried = 0;

	for (u64 mfn = 0; mfn <= top; mfn += 1 + top / 997) {
		if (mfn_to_pfn(mfn) < start_info->nr_pages && pfn_to_mfn(mfn_to_pfn(mfn)) == mfn)
			continue; /* the guest's own */
		check(hc_update_va(page, pte_make(mfn, PTE_RO), UVMF_INVLPG) < 0);
		check(hc_update_va(page, pte_make(mfn, PTE_DATA), UVMF_INVLPG) < 0);
		tried++;
	}
	check(tried > 500);
	check(hc_update_va(page, pte_make(top + 1000, PTE_RO), UVMF_INVLPG) < 0);
	check(hc_update_va(page, pte_make(0xfee00, PTE_DATA), UVMF_INVLPG) < 0); /* local APIC */
	check(hc_update_va(page, pte_make(0xb8, PTE_DATA), UVMF_INVLPG) < 0);	 /* VGA */
	check_is(*pte_find(page, 1) >> PAGE_SHIFT & 0xffffffff, mine);
	page_free(page);
}
