/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C20, XSA-240. Xen 4.17 allows it when built and booted so; ours never. */
GUEST_TEST(pt_linear, "a page table that maps its own level is refused", ALSO_DOM0)
{
	u64 *l4 = page_alloc();
	u64 mfn = virt_to_mfn(l4);

	l4[3] = pte_make(mfn, PTE_P | PTE_US | PTE_A);
	need(page_readonly(l4));
	check(hc_mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0) < 0);
	need(page_writable(l4));
	l4[3] = pte_make(virt_to_mfn(pt_base()), PTE_P | PTE_US | PTE_A);
	need(page_readonly(l4));
	check(hc_mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0) < 0);
	need(page_writable(l4));
	page_free(l4);
}
