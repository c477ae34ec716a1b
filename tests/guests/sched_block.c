/* SPDX-License-Identifier: MIT */
#include "claim.h"

static bool fired;

static void on_event(evtchn_port_t port)
{
	fired = true;
}

GUEST_TEST(sched_block, "a blocked vcpu is woken by its timer, and block lets events in", ALSO_DOM0)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER };
	u64 before = clock_ns();

	need(hc_evtchn(EVTCHNOP_bind_virq, &bind));
	events_handle(on_event);
	need(port_unmask(bind.port));
	check_is(hypercall(set_timer_op, before + 5 * NS_PER_MS), 0);
	while (!fired)
		check_is(hc_sched(SCHEDOP_block, NULL), 0);
	check(clock_ns() - before >= 5 * NS_PER_MS);
	check(clock_ns() - before < 10 * NS_PER_S);
	check(!events_are_masked());
	check_is(hypercall(set_timer_op, 0), 0);
	port_mask(bind.port);
	need(port_close(bind.port));
}
