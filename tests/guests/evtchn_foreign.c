/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(evtchn_foreign, "a domU makes, asks and resets ports of its own domain only", 0)
{
	struct evtchn_alloc_unbound alloc = { .dom = 0, .remote_dom = DOMID_SELF };
	struct evtchn_status status = { .dom = 0, .port = 1 };
	struct evtchn_reset reset = { .dom = 0 };
	struct evtchn_bind_pirq pirq = { .pirq = 4 };

	check_is(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc), -EPERM);
	check_is(hc_evtchn(EVTCHNOP_status, &status), -EPERM);
	check_is(hc_evtchn(EVTCHNOP_reset, &reset), -EPERM);
	check(hc_evtchn(EVTCHNOP_bind_pirq, &pirq) < 0);
	for (evtchn_port_t port = 1; port < 60; port++) {
		struct evtchn_bind_interdomain bind = { .remote_dom = 0, .remote_port = port };

		check(hc_evtchn(EVTCHNOP_bind_interdomain, &bind) < 0); /* none is offered to us */
	}
}
