/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define DATA 0x00cff2000000ffffUL
#define TSS 0x0000e90000000067UL

GUEST_TEST(descriptor_update,
	   "one descriptor changes in place, checked; gates and odd places are refused", ALSO_DOM0)
{
	u64 *table = page_alloc();
	u64 mfn = virt_to_mfn(table), maddr = mfn << PAGE_SHIFT;
	unsigned long frames[1] = { mfn };

	check_is(hypercall(update_descriptor, maddr + 8, DATA), 0);
	check_is(table[1] & ~(1UL << 40), DATA & ~(1UL << 40));
	need(page_readonly(table));
	need(hypercall(set_gdt, frames, 16));
	check_is(hypercall(update_descriptor, maddr + 16, DATA), 0);
	check_is(table[2] & ~(1UL << 40), DATA & ~(1UL << 40));
	check_is(hypercall(update_descriptor, maddr + 24, TSS), -EINVAL);
	check_is(table[3], 0);
	check(hypercall(update_descriptor, maddr + 4, DATA) < 0);
	check(hypercall(update_descriptor, pte_maddr(table, 1), DATA) < 0);
	need(hypercall(set_gdt, frames, 0));
	need(page_writable(table));
	page_free(table);
}
