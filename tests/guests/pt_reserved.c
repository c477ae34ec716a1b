/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C17, C16, XSA-182. */
GUEST_TEST(pt_reserved,
	   "reserved bits are refused; what the CPU ignores is the guest's own", ALSO_DOM0)
{
	void *page = page_alloc();
	u64 good = pte_make(virt_to_mfn(page), PTE_DATA);

	check(map_page(page, good | 1UL << 51) < 0);
	check(map_page(page, good | 1UL << 48) < 0);
	check_is(map_page(page, good | PTE_NX), 0);
	check_is(map_page(page, good | 3UL << 9), 0); /* software's */
	check_is(map_page(page, good), 0);
	check(!poke_faults(page));
	page_free(page);
}
