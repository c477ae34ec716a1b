/* SPDX-License-Identifier: MIT */
#include "claim.h"

static unsigned int calls;
static bool was_masked;
static evtchn_port_t seen;

static void on_event(evtchn_port_t port)
{
	calls++;
	seen = port;
	was_masked = events_are_masked();
}

GUEST_TEST(event_upcall,
	   "an unmasked event enters the callback once, with events masked", ALSO_DOM0)
{
	evtchn_port_t a, b;

	need(port_pair(&a, &b));
	events_handle(on_event);
	events_enable();
	need(port_send(a));
	check_is(calls, 0); /* the port is masked */
	need(port_unmask(b));
	check_is(calls, 1);
	check_is(seen, b);
	check(was_masked);
	check(!events_are_masked());
	need(port_send(a));
	check_is(calls, 2);
	events_disable();
	need(port_send(a));
	check_is(calls, 2);
	events_enable();
	check_is(calls, 3);
	port_mask(b);
	need(port_close(a));
	need(port_close(b));
}
