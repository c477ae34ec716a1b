/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(evtchn_bind_vcpu,
	   "a port is moved between vcpus, but not away from the vcpu of its IPI", 0)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_ipi ipi = { 0 };
	struct evtchn_bind_vcpu bind;

	need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	need(hc_evtchn(EVTCHNOP_bind_ipi, &ipi));
	bind = (struct evtchn_bind_vcpu){ alloc.port, 1 };
	check_is(hc_evtchn(EVTCHNOP_bind_vcpu, &bind), 0);
	bind.vcpu = 1000;
	check_is(hc_evtchn(EVTCHNOP_bind_vcpu, &bind), -ENOENT);
	bind = (struct evtchn_bind_vcpu){ ipi.port, 1 };
	check_is(hc_evtchn(EVTCHNOP_bind_vcpu, &bind), -EINVAL);
}
