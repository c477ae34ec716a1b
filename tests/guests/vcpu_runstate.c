/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(vcpu_runstate,
	   "a vcpu's running time is told when asked, and kept in the guest's memory", ALSO_DOM0)
{
	struct vcpu_runstate_info now, *area = page_alloc();
	struct vcpu_register_runstate_memory_area reg = { .addr.p = (u64)area };
	u64 blocked;

	check_is(hc_vcpu(VCPUOP_get_runstate_info, 0, &now), 0);
	check_is(now.state, RUNSTATE_running);
	check(now.time[RUNSTATE_running] > 0);
	blocked = now.time[RUNSTATE_blocked];
	check_is(hc_vcpu(VCPUOP_register_runstate_memory_area, 0, &reg), 0);
	check_is(area->state, RUNSTATE_running);
	sleep_ns(5 * NS_PER_MS);
	check_is(area->state, RUNSTATE_running);
	check(area->time[RUNSTATE_blocked] - blocked >= 4 * NS_PER_MS);
	reg.addr.p = HYPERVISOR_VIRT_START + 0x1000;
	check_is(hc_vcpu(VCPUOP_register_runstate_memory_area, 0, &reg), -EFAULT);
}
