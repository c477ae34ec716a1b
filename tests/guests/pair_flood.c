/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define WINDOW_NS (200 * NS_PER_MS)

static u64 handled;

static void count(evtchn_port_t port)
{
	(void)port;
	handled++;
}

/* How much it gets done in the time; the loop is long beside reading the clock. */
static u64 work(u64 ns)
{
	u64 end = clock_ns() + ns, done = 0;

	while (clock_ns() < end) {
		for (volatile unsigned int i = 0; i < 1000; i++)
			;
		done++;
	}
	return done;
}

static void rules(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = pair_peer };
	u64 alone, beside;

	need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	pair_word[0] = alloc.port;
	pair_reach(1);
	pair_await(1); /* it is bound, and sleeps */
	events_handle(count);
	need(port_unmask(alloc.port));
	alone = work(WINDOW_NS);
	pair_reach(2);
	sleep_ns(20 * NS_PER_MS);
	events_enable();
	beside = work(WINDOW_NS);
	events_disable();
	pair_word[1] = true;
	say("alone %lu, beside the flood %lu, events %lu\n", alone, beside, handled);
	check(handled > 0);
	check(beside * 100 >= alone * 40); /* half of the CPU, for there are two */
	pair_await(2);
}

static void attack(void)
{
	struct evtchn_bind_interdomain op = { .remote_dom = pair_peer };
	u64 sent = 0;

	pair_await(1);
	op.remote_port = (u32)pair_word[0];
	need(hc_evtchn(EVTCHNOP_bind_interdomain, &op));
	pair_reach(1);
	pair_await(2);
	while (!pair_word[1]) {
		check_is(port_send(op.local_port), 0);
		sent++;
	}
	check(sent > 1000);
	pair_reach(2);
}

GUEST_TEST(pair_flood, "a domain flooded with events by another keeps its half of the CPU", 0)
{
	pair_run(rules, attack);
}
