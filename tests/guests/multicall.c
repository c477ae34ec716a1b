/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(multicall, "a multicall runs its entries in order and keeps each answer", ALSO_DOM0)
{
	evtchn_port_t a, b;
	struct evtchn_send send;
	struct multicall_entry call[4] = { { 0 } };

	need(port_pair(&a, &b));
	send.port = a;
	call[0] = (struct multicall_entry){ .op = __HYPERVISOR_event_channel_op,
					    .args = { EVTCHNOP_send, (unsigned long)&send } };
	call[1] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version,
					    .args = { XENVER_version } };
	call[2] = (struct multicall_entry){ .op = 63 };
	call[3] = (struct multicall_entry){ .op = __HYPERVISOR_event_channel_op,
					    .args = { 99, 0 } };
	check_is(hypercall(multicall, call, 4), 0);
	check_is(call[0].result, 0);
	check(port_take(b));
	check_is(call[1].result, hc_version(XENVER_version, NULL));
	check_is((long)call[2].result, -ENOSYS);
	check_is((long)call[3].result, -ENOSYS);
	check_is(hypercall(multicall, 0xdead000UL, 1), -EFAULT);
	need(port_close(a));
	need(port_close(b));
}
