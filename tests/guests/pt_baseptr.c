/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(pt_baseptr, "the guest runs on another top-level table, and on nothing else", ALSO_DOM0)
{
	u64 *copy = page_alloc(), old = virt_to_mfn(pt_base()), mfn = virt_to_mfn(copy);
	void *plain = page_alloc();

	for (unsigned int i = 0; i < 512; i++)
		copy[i] = i >= 256 && i <= 271 ? 0 : pt_base()[i];
	need(page_readonly(copy));
	check_is(hc_mmuext(MMUEXT_NEW_BASEPTR, mfn, 0), 0);
	check(copy[256] & PTE_P); /* the hypervisor put itself in */
	check(page_writable(copy) < 0);
	check(hc_mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(plain), 0) < 0);
	check(hc_mmuext(MMUEXT_NEW_BASEPTR, 0, 0) < 0);
	check_is(hc_mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0), 0);
	check(hc_mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(plain), 0) < 0);
	check_is(hc_mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
	check_is(hc_mmuext(MMUEXT_NEW_BASEPTR, old, 0), 0);
	check_is(page_writable(copy), 0);
	page_free(copy);
	page_free(plain);
}
