/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(evtchn_ipi, "a vcpu sends itself an event", ALSO_DOM0)
{
	struct evtchn_bind_ipi bind = { .vcpu = 0 };

	check_is(hc_evtchn(EVTCHNOP_bind_ipi, &bind), 0);
	check_is(port_send(bind.port), 0);
	check(port_take(bind.port));
	check_is(port_close(bind.port), 0);
	bind.vcpu = 1000;
	check_is(hc_evtchn(EVTCHNOP_bind_ipi, &bind), -ENOENT);
}
