/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(mmuext_refused, "superpage marks and unknown operations are refused", ALSO_DOM0)
{
	check(hc_mmuext(MMUEXT_MARK_SUPER, virt_to_mfn(pt_base()), 0) < 0);
	check(hc_mmuext(MMUEXT_UNMARK_SUPER, virt_to_mfn(pt_base()), 0) < 0);
	check(hc_mmuext(99, 0, 0) < 0);
	check_is(hypercall(mmuext_op, 0xdead000UL, 1, 0, DOMID_SELF), -EFAULT);
}
