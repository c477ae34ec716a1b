/* SPDX-License-Identifier: MIT */
#include "claim.h"

static unsigned int status_of(evtchn_port_t port, struct evtchn_status *s)
{
	*s = (struct evtchn_status){ .dom = DOMID_SELF, .port = port };
	need(hc_evtchn(EVTCHNOP_status, s));
	return s->status;
}

GUEST_TEST(evtchn_status, "a port's state and its far end are told", ALSO_DOM0)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_ipi ipi = { 0 };
	struct evtchn_bind_virq virq = { .virq = VIRQ_DEBUG };
	struct evtchn_status s;
	evtchn_port_t a, b;

	need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	need(hc_evtchn(EVTCHNOP_bind_ipi, &ipi));
	need(hc_evtchn(EVTCHNOP_bind_virq, &virq));
	need(port_pair(&a, &b));
	check_is(status_of(alloc.port, &s), EVTCHNSTAT_unbound);
	check_is(status_of(ipi.port, &s), EVTCHNSTAT_ipi);
	check_is(status_of(virq.port, &s), EVTCHNSTAT_virq);
	check_is(s.u.virq, VIRQ_DEBUG);
	check_is(status_of(a, &s), EVTCHNSTAT_interdomain);
	check_is(s.u.interdomain.port, b);
	need(port_close(b));
	check_is(status_of(b, &s), EVTCHNSTAT_closed);
	check_is(status_of(a, &s), EVTCHNSTAT_unbound); /* waits for another */
	need(port_close(a));
	need(port_close(alloc.port));
	need(port_close(ipi.port));
	need(port_close(virq.port));
	s = (struct evtchn_status){ .dom = DOMID_SELF, .port = 1 << 20 };
	check_is(hc_evtchn(EVTCHNOP_status, &s), -EINVAL);
}
