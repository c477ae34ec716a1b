/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(vcpu_time,
	   "a second copy of the clock's parameters is kept where the guest says", ALSO_DOM0)
{
	struct vcpu_time_info *area = page_alloc();
	struct vcpu_register_time_memory_area reg = { .addr.p = (u64)area };

	check_is(hc_vcpu(VCPUOP_register_vcpu_time_memory_area, 0, &reg), 0);
	sleep_ns(2 * NS_PER_MS);
	check_is(area->tsc_to_system_mul, shared_info->vcpu_info[0].time.tsc_to_system_mul);
	check_is(area->tsc_shift, shared_info->vcpu_info[0].time.tsc_shift);
	check_is(area->system_time, shared_info->vcpu_info[0].time.system_time);
	reg.addr.p = HYPERVISOR_VIRT_START + 0x1000;
	check_is(hc_vcpu(VCPUOP_register_vcpu_time_memory_area, 0, &reg), -EFAULT);
}
