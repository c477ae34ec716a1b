/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(vcpu_timers, "one-shot and periodic timers fire, and stop", ALSO_DOM0)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER };
	struct vcpu_set_singleshot_timer once = { .flags = VCPU_SSHOTTMR_future };
	struct vcpu_set_periodic_timer every = { .period_ns = 2 * NS_PER_MS };
	u64 before = clock_ns();

	need(hc_evtchn(EVTCHNOP_bind_virq, &bind));
	once.timeout_abs_ns = before + 3 * NS_PER_MS;
	check_is(hc_vcpu(VCPUOP_set_singleshot_timer, 0, &once), 0);
	check(port_wait(bind.port, 10 * NS_PER_S));
	check(clock_ns() - before >= 3 * NS_PER_MS);
	check_is(hc_vcpu(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	check_is(hc_vcpu(VCPUOP_set_periodic_timer, 0, &every), 0);
	/* it ticks for a vcpu that runs; one that waits has its one-shot timer */
	for (unsigned int i = 0; i < 4; i++) {
		before = clock_ns();
		while (!port_take(bind.port))
			check(clock_ns() - before < 10 * NS_PER_S);
	}
	check_is(hc_vcpu(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	every.period_ns = 1000;
	check_is(hc_vcpu(VCPUOP_set_periodic_timer, 0, &every), -EINVAL);
	need(port_close(bind.port));
	once.timeout_abs_ns = 1;
	check_is(hc_vcpu(VCPUOP_set_singleshot_timer, 0, &once), -ETIME);
}
