/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(evtchn_virq, "a virtual interrupt is bound once for each vcpu", ALSO_DOM0)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER }, again = { .virq = VIRQ_TIMER };

	check_is(hc_evtchn(EVTCHNOP_bind_virq, &bind), 0);
	check_is(hc_evtchn(EVTCHNOP_bind_virq, &again), -EEXIST);
	check_is(port_close(bind.port), 0);
	check_is(hc_evtchn(EVTCHNOP_bind_virq, &again), 0);
	check_is(port_close(again.port), 0);
	again.virq = 1000;
	check_is(hc_evtchn(EVTCHNOP_bind_virq, &again), -EINVAL);
	again = (struct evtchn_bind_virq){ .virq = VIRQ_TIMER, .vcpu = 1000 };
	check_is(hc_evtchn(EVTCHNOP_bind_virq, &again), -ENOENT);
}
