/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define PORTS 4096 /* of the two-level ABI */

/* C38. */
GUEST_TEST(evtchn_bad,
	   "ports that are closed, zero or out of range are refused by every operation", ALSO_DOM0)
{
	static const evtchn_port_t bad[] = { 0, 3000, 4095, 4096, 131071, 1u << 31, ~0u };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct evtchn_bind_vcpu move = { .port = bad[i] };
		struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF,
							.remote_port = bad[i] };

		check(port_send(bad[i]) < 0);
		check_is(port_close(bad[i]), -EINVAL);
		if (bad[i] < PORTS)
			check(port_unmask(bad[i]) <= 0); /* of a port that could be */
		else
			check_is(port_unmask(bad[i]), -EINVAL);
		check(hc_evtchn(EVTCHNOP_bind_vcpu, &move) < 0);
		check(hc_evtchn(EVTCHNOP_bind_interdomain, &bind) < 0);
	}
	check_is(hc_evtchn(EVTCHNOP_send, (void *)0xdead000), -EFAULT);
}
