/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(sched_poll,
	   "a poll ends with its event or its time, and takes at most 128 ports", ALSO_DOM0)
{
	struct sched_poll poll = { 0 };
	evtchn_port_t a, b, many[129] = { 0 };
	u64 before = clock_ns();

	need(port_pair(&a, &b));
	set_xen_guest_handle(poll.ports, &b);
	poll.nr_ports = 1;
	poll.timeout = before + 5 * NS_PER_MS;
	check_is(hc_sched(SCHEDOP_poll, &poll), 0);
	check(clock_ns() - before >= 5 * NS_PER_MS);
	need(port_send(a));
	before = clock_ns();
	poll.timeout = before + 1000 * NS_PER_S;
	check_is(hc_sched(SCHEDOP_poll, &poll), 0);
	check(clock_ns() - before < 100 * NS_PER_S);
	set_xen_guest_handle(poll.ports, many);
	poll.nr_ports = 129;
	check_is(hc_sched(SCHEDOP_poll, &poll), -EINVAL);
	poll.nr_ports = 1;
	many[0] = 1u << 30;
	check_is(hc_sched(SCHEDOP_poll, &poll), -EINVAL);
	need(port_close(a));
	need(port_close(b));
}
