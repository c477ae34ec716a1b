/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C40: the limit is the ABI's, and reaching it hurts only this guest. */
GUEST_TEST(evtchn_many, "ports run out with ENOSPC, and come back when closed", ALSO_DOM0)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	unsigned int count = 0;
	evtchn_port_t first = 0;
	long rc;

	while ((rc = hc_evtchn(EVTCHNOP_alloc_unbound, &alloc)) == 0) {
		first = first ? first : alloc.port;
		check(++count <= 4096);
	}
	check_is(rc, -ENOSPC);
	check(count > 100);
	for (evtchn_port_t port = first; port < first + count; port++)
		check_is(port_close(port), 0);
	check_is(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc), 0);
	check_is(port_close(alloc.port), 0);
}
