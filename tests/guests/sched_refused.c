/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(sched_refused, "a domU stops no other domain, and pins itself nowhere", 0)
{
	struct sched_remote_shutdown remote = { .domain_id = 0, .reason = SHUTDOWN_crash };
	struct sched_pin_override pin = { .pcpu = 0 };

	check_is(hc_sched(SCHEDOP_remote_shutdown, &remote), -EPERM);
	remote.domain_id = 0x7001;
	check(hc_sched(SCHEDOP_remote_shutdown, &remote) < 0);
	check_is(hc_sched(SCHEDOP_pin_override, &pin), -EPERM);
}
