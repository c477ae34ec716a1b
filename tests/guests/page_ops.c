/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(page_ops, "pages are cleared and copied by the hypervisor, page tables never", ALSO_DOM0)
{
	u64 *a = page_alloc(), *b = page_alloc();

	a[0] = 1;
	a[511] = 2;
	check_is(hc_mmuext(MMUEXT_COPY_PAGE, virt_to_mfn(b), virt_to_mfn(a)), 0);
	check_is(b[0], 1);
	check_is(b[511], 2);
	check_is(hc_mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn(a), 0), 0);
	check_is(a[0] | a[511], 0);
	check(hc_mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn(pt_base()), 0) < 0);
	check(hc_mmuext(MMUEXT_COPY_PAGE, virt_to_mfn(pt_base()), virt_to_mfn(a)) < 0);
	check(hc_mmuext(MMUEXT_CLEAR_PAGE, ~0UL >> 12, 0) < 0);
	page_free(a);
	page_free(b);
}
