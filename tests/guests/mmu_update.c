/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(mmu_update, "mmu_update changes entries of every kind and counts them", ALSO_DOM0)
{
	u8 *a = page_alloc(), *b = page_alloc();
	u64 mfn_a = virt_to_mfn(a), mfn_b = virt_to_mfn(b), slot = pte_maddr(a, 1);
	struct mmu_update req[3];
	u32 done = 77;

	a[0] = 1;
	b[0] = 2;
	req[0] = (struct mmu_update){ slot | MMU_NORMAL_PT_UPDATE, pte_make(mfn_b, PTE_DATA) };
	req[1] = (struct mmu_update){ mfn_b << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0x123 };
	req[2] = (struct mmu_update){ slot | MMU_PT_UPDATE_PRESERVE_AD,
				      pte_make(mfn_b, PTE_P | PTE_RW | PTE_US) };
	check_is(hypercall(mmu_update, req, 3, &done, DOMID_SELF), 0);
	check_is(done, 3);
	need(hc_mmuext(MMUEXT_INVLPG_LOCAL, (u64)a, 0));
	check_is(a[0], 2);
	check_is(mfn_to_pfn(mfn_b), 0x123);
	check(*pte_find(a, 1) & PTE_A);
	need(hc_mmu_update(mfn_b << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, virt_to_pfn(b)));
	need(map_page(a, pte_make(mfn_a, PTE_DATA)));
	check_is(a[0], 1);
	/* one that fails ends the list, and the count tells where */
	req[0].val = pte_make(mfn_a, PTE_DATA);
	req[1] = (struct mmu_update){ slot, pte_make(mfn_a, PTE_DATA) | 1UL << 51 };
	check(hypercall(mmu_update, req, 3, &done, DOMID_SELF) < 0);
	check_is(done, 1);
	check_is(hypercall(mmu_update, 0xdead000UL, 1, 0, DOMID_SELF), -EFAULT);
	page_free(a);
	page_free(b);
}
