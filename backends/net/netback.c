/* SPDX-License-Identifier: MIT */
/*
 * netback.c - network backend process: one virtual card of one guest, as a tap interface that a
 * script attaches to a bridge.
 *
 * Owns the features offered to the frontend and the pacing between ring and tap; packets are
 * net_tx.c's and net_rx.c's.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <log.h>

#include "backend_main.h"
#include "net_rx.h"
#include "net_tx.h"
#include "queues.h"
#include "tap.h"
#include "vif_script.h"

/*
 * Somewhat above dom0's own processes: one that sends packets faster than they are taken would
 * otherwise, in its share of the CPU, fill the tap's queue, which loses what is too much. Not far:
 * a guest that sends without end is not to have all of dom0's CPU.
 */
#define PRIORITY (-5)

/*
 * Pages for packets that each of several queues has, each way: a batch of short ones, and one of
 * the longest.
 */
#define QUEUE_PAGES (NET_TX_BATCH + NET_TX_MAX_FRAGS)

/* One of the guest's queues, and one of the tap's. */
struct net_queue {
	struct event *readable;	/* the tap has a packet */
	bool has_packet;	/* it said so, and was not emptied since */
	struct net_tx tx;
	struct net_rx rx;
};

struct netback {
	struct backend *be;
	struct tap tap;
	struct vif_script script;
	struct event *share;	/* the guest may send again */
	unsigned int waiting;	/* queues that wait for it, a bit each */
	struct net_pace pace;
	struct net_queue queue[JOURNAL_QUEUES];
};

static struct netback netback; /* the one card of this process */

_Static_assert(TAP_QUEUES == JOURNAL_QUEUES, "each ring has its queue");

/* The script's own words win, those for hotplug-error before those on standard error: @said. */
static int script_failed(struct backend *be, int rc, const char *said)
{
	const char *script = netback.script.script, *colon = said[0] ? ": " : "";
	char status[16] = "", why[768];

	store_read_str(be->xs, be->path, "hotplug-status", status, sizeof(status));
	if (rc == -EIO && !strcmp(status, "error") &&
	    store_read_str(be->xs, be->path, "hotplug-error", why, sizeof(why)) == 0)
		log_warnx("%s: %s", be->path, why);
	else if (rc == -ETIMEDOUT)
		backend_fail(be, "network script %s did not finish in %d seconds%s%s", script,
			     VIF_SCRIPT_SECONDS, colon, said);
	else if (rc == -EIO)
		backend_fail(be, "network script %s failed%s%s", script, colon, said);
	else
		backend_fail(be, "network script %s: %s", script, strerror(-rc));
	return -EINVAL;
}

/* What the guest may send: xend's words. */
static int read_rate(struct backend *be)
{
	char words[48] = "";
	int rc = store_read_str(be->xs, be->path, "rate", words, sizeof(words));

	if (rc == 0 || rc == -ENOENT)
		rc = net_pace_init(&netback.pace, rc ? "" : words);
	if (rc < 0)
		backend_fail(be, "rate=%s is not BYTES,MICROSECONDS", words);
	return rc < 0 ? -EINVAL : 0;
}

static int make_queue(struct netback *n, unsigned int i)
{
	struct net_queue *q = &n->queue[i];
	const bool alone = n->tap.nr == 1;
	const size_t tx = alone ? NET_TX_PAGES : QUEUE_PAGES, rx = alone ? NET_RX_PAGES : QUEUE_PAGES;

	if (granted_make(&q->tx.arena, tx, tx) < 0 || granted_make(&q->rx.arena, rx, rx) < 0)
		return -ENOMEM;
	q->tx.copy.own = &q->tx.arena;
	q->rx.copy.own = &q->rx.arena;
	q->tx.gnt = q->rx.gnt = n->be->gnt;
	q->tx.domid = q->rx.domid = n->be->domid;
	q->tx.tap = q->rx.tap = n->tap.fd[i];
	q->tx.pace = &n->pace;
	return 0;
}

static int net_prepare(struct backend *be)
{
	char said[VIF_SCRIPT_SAID];
	struct netback *n = &netback;
	int rc = read_rate(be);

	if (rc < 0)
		return rc;
	rc = vif_script_read(&n->script, be->xs, be->path);
	if (rc < 0) {
		backend_fail(be, "the network card's record has a value that is too long");
		return -EINVAL;
	}
	be->dev = n;
	n->be = be;
	rc = tap_open(&n->tap, n->script.vif, queues_to_offer(be));
	if (rc < 0) {
		backend_fail(be, "network interface %s: %s", n->script.vif, strerror(-rc));
		return -EINVAL;
	}
	rc = vif_script_run(&n->script, "online", said);
	if (rc < 0)
		return script_failed(be, rc, said);
	if (setpriority(PRIO_PROCESS, 0, PRIORITY) < 0)
		log_warn("%s: no higher priority", be->path);
	rc = 0;
	for (unsigned int i = 0; rc == 0 && i < n->tap.nr; i++)
		rc = make_queue(n, i);
	return rc;
}

static int net_offer(struct backend *be, xs_transaction_t t)
{
	static const struct {
		const char *key;
		int value;
	} keys[] = {
		{ "feature-rx-copy", 1 },
		{ "feature-rx-flip", 0 },
		{ "feature-sg", 1 },
		{ "feature-gso-tcpv4", 1 },
		{ "feature-gso-tcpv6", 1 },
		{ "feature-ipv6-csum-offload", 1 },
		{ "feature-multicast-control", 0 },
		{ "feature-split-event-channels", 0 },
		{ "feature-ctrl-ring", 0 },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = store_write(be->xs, t, be->path, keys[i].key, "%d", keys[i].value);
	return rc ? rc : queues_offer(be, t, netback.tap.nr);
}

/* What the guest can take decides what dom0's stack may hand over unfinished. */
static int set_offload(struct backend *be)
{
	struct netback *n = be->dev;
	bool sg = store_read_bool(be->xs, be->frontend, "feature-sg", false);
	bool csum4 = !store_read_bool(be->xs, be->frontend, "feature-no-csum-offload", false);
	bool csum6 = store_read_bool(be->xs, be->frontend, "feature-ipv6-csum-offload", false);
	bool gso4 = store_read_bool(be->xs, be->frontend, "feature-gso-tcpv4", false);
	bool gso6 = store_read_bool(be->xs, be->frontend, "feature-gso-tcpv6", false);

	for (unsigned int i = 0; i < n->tap.nr; i++)
		n->queue[i].rx.can_sg = sg;
	/* The tap knows one checksum switch for both families. */
	return tap_set_offload(&n->tap, csum4 && csum6, sg && gso4, sg && gso6);
}

/* Begins with the rings of queue @i, which are mapped. */
static int attach_queue(struct backend *be, unsigned int i)
{
	struct net_queue *q = &netback.queue[i];
	int rc = bring_attach(&q->tx.ring, be->ring_page[2 * i], &net_tx_geometry,
			      backend_record(be, 2 * i), be->resumed);

	if (rc == 0)
		rc = bring_attach(&q->rx.ring, be->ring_page[2 * i + 1], &net_rx_geometry,
				  backend_record(be, 2 * i + 1), be->resumed);
	q->rx.held = q->rx.nr = q->rx.used = 0;
	q->rx.stalled = q->has_packet = false;
	return rc;
}

static int net_connect(struct backend *be)
{
	static const char *const keys[] = { "tx-ring-ref", "rx-ring-ref" };
	struct backend_queue queue[JOURNAL_QUEUES];
	struct netback *n = be->dev;
	int rc;

	if (!store_read_bool(be->xs, be->frontend, "request-rx-copy", false))
		return -EOPNOTSUPP;
	rc = queues_read(be, keys, 2, n->tap.nr, queue);
	if (rc > 0)
		rc = backend_attach(be, queue, (unsigned int)rc, 2);
	for (unsigned int i = 0; rc == 0 && i < be->nr_queues; i++)
		rc = attach_queue(be, i);
	if (rc == 0)
		rc = tap_use(&n->tap, be->nr_queues);
	if (rc == 0)
		rc = set_offload(be);
	if (rc < 0)
		return rc;
	if (!be->resumed)
		tap_drain(&n->tap);
	for (unsigned int i = 0; i < be->nr_queues; i++)
		event_add(n->queue[i].readable, NULL);
	return 0;
}

/* Moves packets to the guest; reads the tap only while the guest has room. */
static int move_rx(struct backend *be, unsigned int i)
{
	struct net_queue *q = &netback.queue[i];
	bool notify;
	int rc = net_rx_work(&q->rx, &notify);

	if (notify)
		backend_notify(be, i);
	if (q->rx.stalled)
		event_del(q->readable);
	else if (rc >= 0)
		event_add(q->readable, NULL); /* nothing, while it is there */
	q->has_packet = rc > 0;
	return rc;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* Until the guest has a share again: then those that waited have their turns. */
static void wait_for_share(struct netback *n, unsigned int i)
{
	const struct net_tx *tx = &n->queue[i].tx;
	const uint64_t us = (tx->wait_ns - tx->now_ns) / 1000 + 1;
	const struct timeval tv = { (time_t)(us / 1000000), (suseconds_t)(us % 1000000) };

	n->waiting |= 1u << i;
	event_add(n->share, &tv);
}

static int net_work(struct backend *be, unsigned int i)
{
	struct netback *n = be->dev;
	struct net_queue *q = &n->queue[i];
	bool notify;
	int more, rc;

	q->tx.now_ns = now_ns();
	more = net_tx_work(&q->tx, &notify);
	if (q->tx.wait_ns)
		wait_for_share(n, i);
	if (notify)
		backend_notify(be, i);
	if (more < 0)
		return more;
	/* An event of the guest's sending is no reason to ask the tap. */
	rc = q->has_packet || q->rx.stalled ? move_rx(be, i) : 0;
	if (rc == -EIO) {
		/* Somebody in dom0 deleted the interface: the successor makes a new one. */
		log_warnx("%s: interface %s is gone", be->path, n->script.vif);
		backend_stop(be, BACKEND_EXIT_RETRY);
		return 0;
	}
	return rc < 0 ? rc : more || rc;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct net_queue *q = arg;

	q->has_packet = true;
	backend_kick(netback.be, 1u << (q - netback.queue));
}

static void on_share(evutil_socket_t fd, short what, void *arg)
{
	unsigned int due = netback.waiting;

	netback.waiting = 0;
	backend_kick(arg, due);
}

static void net_disconnect(struct backend *be)
{
	struct netback *n = be->dev;
	struct { unsigned long long packets, errors, dropped; } tx = { 0 }, rx = { 0 };

	for (unsigned int i = 0; i < n->tap.nr; i++) {
		const struct net_queue *q = &n->queue[i];

		event_del(q->readable);
		tx.packets += q->tx.packets;
		tx.errors += q->tx.errors;
		tx.dropped += q->tx.dropped;
		rx.packets += q->rx.packets;
		rx.errors += q->rx.errors;
		rx.dropped += q->rx.dropped;
	}
	event_del(n->share);
	n->waiting = 0;
	if (backend_may_log(be))
		log_info("%s: sent %llu, bad %llu, dropped %llu; received %llu, bad %llu, dropped %llu",
			 be->path, tx.packets, tx.errors, tx.dropped, rx.packets, rx.errors,
			 rx.dropped);
}

static int net_start(struct backend *be, struct event_base *base)
{
	for (unsigned int i = 0; i < netback.tap.nr; i++) {
		struct net_queue *q = &netback.queue[i];

		q->readable = event_new(base, netback.tap.fd[i], EV_READ | EV_PERSIST, on_readable, q);
		if (!q->readable)
			return -ENOMEM;
	}
	netback.share = evtimer_new(base, on_share, be);
	return netback.share ? 0 : -ENOMEM;
}

static void net_fini(struct backend *be)
{
	tap_close(&netback.tap);
}

static const struct backend_ops net_ops = {
	.name = "netback",
	.type = "vif",
	.has_frontend = true,
	.prepare = net_prepare,
	.offer = net_offer,
	.connect = net_connect,
	.disconnect = net_disconnect,
	.work = net_work,
	.start = net_start,
	.fini = net_fini,
};

int main(int argc, char **argv)
{
	return backend_main(argc, argv, &net_ops);
}
