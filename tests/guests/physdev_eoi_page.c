/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(physdev_eoi_page,
	   "the page of interrupt bits is taken once, from the guest's own memory", 0)
{
	struct physdev_pirq_eoi_gmfn op = { .gmfn = virt_to_mfn(pt_base()) };

	check(hc_physdev(PHYSDEVOP_pirq_eoi_gmfn_v2, &op) < 0);
	op.gmfn = 1;
	check(hc_physdev(PHYSDEVOP_pirq_eoi_gmfn_v2, &op) < 0);
	op.gmfn = virt_to_mfn(page_alloc());
	check_is(hc_physdev(PHYSDEVOP_pirq_eoi_gmfn_v2, &op), 0);
	check_is(hc_physdev(PHYSDEVOP_pirq_eoi_gmfn_v2, &op), -EBUSY);
}
