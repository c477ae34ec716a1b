/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C28. */
GUEST_TEST(mmu_other_domain, "a domU changes no other domain's tables or memory", 0)
{
	struct mmu_update req = { pte_maddr(shared_info, 1), 0 };
	struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = 0x1000 };

	check_is(hypercall(mmu_update, &req, 1, 0, 0), -EPERM);
	check(hypercall(mmu_update, &req, 1, 0, 0x7000) < 0);
	check_is(hypercall(mmu_update, &req, 1, 0, 1UL << 16 | DOMID_SELF), -EPERM);
	check(hypercall(mmu_update, &req, 1, 0, DOMID_XEN) < 0);
	check_is(hypercall(mmuext_op, &op, 1, 0, 0), -EPERM);
	check_is(hypercall(update_va_mapping_otherdomain, &req, 0, 0, 0), -EPERM);
}
