/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(tlb_ops, "every TLB operation is done, for addresses of any kind", ALSO_DOM0)
{
	u64 self = 1;
	struct mmuext_op op = { .cmd = MMUEXT_INVLPG_MULTI, .arg1.linear_addr = (u64)&self };

	set_xen_guest_handle(op.arg2.vcpumask, (void *)&self);
	check_is(hypercall(mmuext_op, &op, 1, 0, DOMID_SELF), 0);
	op.cmd = MMUEXT_TLB_FLUSH_MULTI;
	check_is(hypercall(mmuext_op, &op, 1, 0, DOMID_SELF), 0);
	check_is(hc_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
	check_is(hc_mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	check_is(hc_mmuext(MMUEXT_INVLPG_LOCAL, (u64)&self, 0), 0);
	check_is(hc_mmuext(MMUEXT_INVLPG_ALL, (u64)&self, 0), 0);
	check_is(hc_mmuext(MMUEXT_INVLPG_LOCAL, 0x0000900000000000UL, 0), 0);
	check_is(hc_mmuext(MMUEXT_INVLPG_LOCAL, HYPERVISOR_VIRT_START + 0x200000000UL, 0), 0);
}
