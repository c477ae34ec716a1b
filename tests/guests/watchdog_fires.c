/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST_DIES(watchdog_fires, "a watchdog that is not fed ends the domain as such",
		"watchdog|Watchdog")
{
	struct sched_watchdog op = { 0, 1 };

	need(hc_sched(SCHEDOP_watchdog, &op) != 1);
	sleep_ns(20 * NS_PER_S);
}
