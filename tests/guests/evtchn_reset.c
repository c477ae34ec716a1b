/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C39. In dom0's image: a domU would lose its console with the rest. */
GUEST_TEST(evtchn_reset, "a reset closes every port of the domain", ONLY_DOM0)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	evtchn_port_t a, b;

	need(port_pair(&a, &b));
	check_is(hc_evtchn(EVTCHNOP_reset, &reset), 0);
	check(port_send(a) < 0);
	check(port_send(b) < 0);
	need(port_pair(&a, &b));
	check_is(port_send(a), 0);
	check(port_take(b));
	need(port_close(a));
	need(port_close(b));
}
