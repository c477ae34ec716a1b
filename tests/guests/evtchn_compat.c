/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(evtchn_compat, "the first event-channel call does what the later one does", ALSO_DOM0)
{
	struct evtchn_op op = { .cmd = EVTCHNOP_alloc_unbound };

	op.u.alloc_unbound.dom = DOMID_SELF;
	op.u.alloc_unbound.remote_dom = DOMID_SELF;
	check_is(hypercall(event_channel_op_compat, &op), 0);
	check_is(port_close(op.u.alloc_unbound.port), 0);
}
