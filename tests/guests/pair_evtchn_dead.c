/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define PORTS 130 /* a reset closes 64, then it may stop */
#define TRIES 1000
#define LOW 64

enum { OFFERED, GRANT };

static u32 state_of(evtchn_port_t port)
{
	struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

	need(hc_evtchn(EVTCHNOP_status, &status));
	return status.status;
}

/*
 * Its port to the other is as if it had never been bound, once that is gone: it sends to nobody,
 * and is closed.
 */
static void rules(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = pair_peer };
	u64 deadline;

	need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	pair_word[OFFERED] = alloc.port;
	pair_reach(1);
	pair_await(1);
	check_is(state_of(alloc.port), EVTCHNSTAT_interdomain);
	pair_reach(2);
	pair_await_death((grant_ref_t)pair_word[GRANT]);
	deadline = clock_ns() + 5 * NS_PER_S;
	while (state_of(alloc.port) != EVTCHNSTAT_unbound && clock_ns() < deadline)
		sleep_ns(NS_PER_MS);
	check_is(port_send(alloc.port), 0);
	check_is(state_of(alloc.port), EVTCHNSTAT_unbound);
	check_is(port_close(alloc.port), 0);
}

static struct evtchn_reset reset;

/* The event for whose sake the reset was stopped: when it goes on, it is another domain's. */
static bool give_up(struct trap_frame *f)
{
	if (f->vector != ENTRY_EVENT)
		return false;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	reset.dom = DOMID_INVALID;
	return true;
}

static void reset_and_give_up(evtchn_port_t last)
{
	struct vcpu_info *vi = &shared_info->vcpu_info[0];

	trap_hook(give_up);
	/* sometimes something else lets the event in before the reset has begun */
	for (unsigned int i = 0; i < TRIES && state_of(last / 4) != EVTCHNSTAT_closed; i++) {
		reset.dom = DOMID_SELF;
		vi->evtchn_upcall_pending = 1;
		vi->evtchn_upcall_mask = 0;
		hc_evtchn(EVTCHNOP_reset, &reset);
		vi->evtchn_upcall_mask = 1;
	}
	trap_hook(NULL);
}

static evtchn_port_t bind(domid_t domid, evtchn_port_t theirs)
{
	struct evtchn_bind_interdomain op = { .remote_dom = domid, .remote_port = theirs };

	need(hc_evtchn(EVTCHNOP_bind_interdomain, &op));
	return op.local_port;
}

/* Ends with a port that it opened below where its last reset stopped. */
static void attack(void)
{
	struct evtchn_status console =
		{ .dom = DOMID_SELF, .port = start_info->console.domU.evtchn };
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };

	pair_await(1);
	need(hc_evtchn(EVTCHNOP_status, &console));
	for (unsigned int i = 0; i < PORTS; i++)
		need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	reset_and_give_up(alloc.port);
	check_is(state_of(alloc.port), EVTCHNSTAT_unbound);
	if (console.status == EVTCHNSTAT_interdomain) /* else it is read without being told */
		start_info->console.domU.evtchn =
			bind(console.u.interdomain.dom, console.u.interdomain.port);
	check(bind(pair_peer, (evtchn_port_t)pair_word[OFFERED]) < LOW);
	pair_word[GRANT] = grant_offer(pair_peer, virt_to_mfn(page_alloc()), 0);
	pair_reach(1);
	pair_await(2);
}

GUEST_TEST(pair_evtchn_dead, "a reset that was given up hides no port from the domain's end", 0)
{
	pair_run(rules, attack);
}
