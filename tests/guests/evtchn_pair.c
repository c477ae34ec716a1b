/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(evtchn_pair,
	   "an event sent on one end is pending at the other, until the end is closed", ALSO_DOM0)
{
	evtchn_port_t a, b;

	check_is(port_pair(&a, &b), 0);
	check(a && b && a != b);
	check(!port_take(b));
	check_is(port_send(a), 0);
	check(port_take(b));
	check_is(port_send(b), 0);
	check(port_take(a));
	check_is(port_close(b), 0);
	check_is(port_send(b), -EINVAL);
	check_is(port_close(a), 0);
	check_is(port_close(a), -EINVAL);
}
