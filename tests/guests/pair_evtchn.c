/* SPDX-License-Identifier: MIT */
#include "pair.h"

enum { OFFERED, DOM0S, INNER, CLOSED, NR_PORTS };

static evtchn_port_t unbound(domid_t to)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = to };

	need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	return alloc.port;
}

static void rules(void)
{
	evtchn_port_t port[NR_PORTS], end;

	port[OFFERED] = unbound(pair_peer);
	port[DOM0S] = unbound(0);
	need(port_pair(&port[INNER], &end));
	port[CLOSED] = unbound(pair_peer);
	check_is(port_close(port[CLOSED]), 0);
	for (unsigned int i = 0; i < NR_PORTS; i++)
		pair_word[i] = port[i];
	pair_reach(1);
	check(port_wait(port[OFFERED], 5 * NS_PER_S)); /* the one it may send to */
	pair_await(1);
	check_is(port_close(port[OFFERED]), 0);
	pair_reach(2);
	pair_await(2);
	for (unsigned int i = 0; i < NR_PORTS; i++)
		check(!port_take(port[i]));
	check(!port_take(end));
	check_is(port_send(end), 0); /* its own channel is as it was */
	check(port_take(port[INNER]));
}

static long bind(evtchn_port_t *mine, u64 theirs)
{
	struct evtchn_bind_interdomain op = { .remote_dom = pair_peer, .remote_port = (u32)theirs };
	long rc = hc_evtchn(EVTCHNOP_bind_interdomain, &op);

	*mine = op.local_port;
	return rc;
}

static void attack(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = pair_peer, .remote_dom = DOMID_SELF };
	struct evtchn_status status = { .dom = pair_peer };
	struct evtchn_reset reset = { .dom = pair_peer };
	evtchn_port_t port, none;

	pair_await(1);
	for (unsigned int i = DOM0S; i < NR_PORTS; i++)
		check(bind(&none, pair_word[i]) < 0);
	check(bind(&none, 0) < 0);
	check(bind(&none, 1u << 30) < 0);
	check_is(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc), -EPERM);
	status.port = (u32)pair_word[INNER];
	check_is(hc_evtchn(EVTCHNOP_status, &status), -EPERM);
	check_is(hc_evtchn(EVTCHNOP_reset, &reset), -EPERM);
	check_is(bind(&port, pair_word[OFFERED]), 0);
	check(bind(&none, pair_word[OFFERED]) < 0); /* once */
	check_is(port_send(port), 0);
	pair_reach(1);
	pair_await(2); /* it closed its end */
	for (unsigned int i = 0; i < 100; i++)
		port_send(port);
	for (evtchn_port_t p = 0; p < 100; p++)
		if (p != port && p != start_info->console.domU.evtchn)
			port_send(p);
	check(bind(&none, pair_word[OFFERED]) < 0);
	pair_reach(2);
}

GUEST_TEST(pair_evtchn, "only a port that was offered is bound, and none is reached otherwise", 0)
{
	pair_run(rules, attack);
}
