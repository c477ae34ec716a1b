/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* What guests tell apart: "somebody uses it" and "it can never be that". */
GUEST_TEST(type_conflict,
	   "a table mapped writable is EBUSY; a frame of another type "
	   "as table or descriptors EINVAL",
	   ALSO_DOM0)
{
	u64 *plain = page_alloc(), *table = page_alloc();
	u64 mfn = virt_to_mfn(plain), table_mfn = virt_to_mfn(table);
	unsigned long frames[1] = { mfn };

	need(page_readonly(table));
	need(hc_mmuext(MMUEXT_PIN_L1_TABLE, table_mfn, 0));
	check_is(page_writable(table), -EBUSY);
	check_is(hc_mmu_update(pte_maddr(table, 1), pte_make(table_mfn, PTE_DATA)), -EBUSY);
	check_is(hc_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -EINVAL);
	check_is(hc_mmuext(MMUEXT_PIN_L2_TABLE, table_mfn, 0), -EINVAL);
	check_is(hc_mmuext(MMUEXT_NEW_BASEPTR, mfn, 0), -EINVAL);
	check_is(hc_mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0), -EINVAL);
	check_is(hc_mmu_update(pte_maddr(plain, 2), pte_make(mfn, PTE_TABLE)), -EINVAL);
	check_is(hc_mmu_update(pte_maddr(plain, 4), pte_make(mfn, PTE_TABLE)), -EINVAL);
	check_is(hypercall(set_gdt, frames, 8), -EINVAL);
	frames[0] = table_mfn;
	check_is(hypercall(set_gdt, frames, 8), -EINVAL);
	check_is(hypercall(update_descriptor, table_mfn << PAGE_SHIFT, 0), -EINVAL);
	check_is(hypercall(update_descriptor, 0xfffffffUL << PAGE_SHIFT, 0), -EINVAL);
	need(hc_mmuext(MMUEXT_UNPIN_TABLE, table_mfn, 0));
	need(page_writable(table));
	/* a table is not made of an entry that maps it writable */
	table[7] = pte_make(virt_to_mfn(pt_base()), PTE_DATA);
	need(page_readonly(table));
	check_is(hc_mmuext(MMUEXT_PIN_L1_TABLE, table_mfn, 0), -EBUSY);
	need(page_writable(table));
	frames[0] = table_mfn;
	table[7] = 0;
	/* nor is what the CPU reads as descriptors written as an entry */
	need(page_readonly(table));
	need(hypercall(set_gdt, frames, 8));
	check_is(page_writable(table), -EBUSY);
	check_is(hc_mmu_update(table_mfn << PAGE_SHIFT, 0), -EINVAL);
	need(hypercall(set_gdt, frames, 0));
	need(page_writable(table));
	page_free(table);
	page_free(plain);
}
