/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(vcpu_info, "vcpu_info moves into the guest's memory, once, inside one page", 0)
{
	struct vcpu_info *mine = page_alloc();
	struct vcpu_register_vcpu_info reg = { .mfn = virt_to_mfn(mine), .offset = 0 };

	reg.offset = PAGE_SIZE - 8;
	check(hc_vcpu(VCPUOP_register_vcpu_info, 1, &reg) < 0);
	reg.offset = 0;
	reg.mfn = virt_to_mfn(pt_base());
	check(hc_vcpu(VCPUOP_register_vcpu_info, 1, &reg) < 0);
	reg.mfn = virt_to_mfn(mine);
	reg.offset = 64;
	check_is(hc_vcpu(VCPUOP_register_vcpu_info, 1, &reg), 0);
	check(hc_vcpu(VCPUOP_register_vcpu_info, 1, &reg) < 0);
	check_is(mine[1].evtchn_upcall_pending, 1); /* look: something may be pending */
}
