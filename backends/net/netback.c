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
#include "tap.h"
#include "vif_script.h"

/*
 * Somewhat above dom0's own processes: one that sends packets faster than they are taken would
 * otherwise, in its share of the CPU, fill the tap's queue, which loses what is too much. Not far:
 * a guest that sends without end is not to have all of dom0's CPU.
 */
#define PRIORITY (-5)

struct netback {
	int tap;
	struct vif_script script;
	struct event *readable, *share;	/* the tap has a packet; the guest may send again */
	bool has_packet;		/* the tap said so, and was not emptied since */
	struct net_tx tx;
	struct net_rx rx;
};

static struct netback netback = { .tap = -1 }; /* the one card of this process */

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
		rc = net_pace_init(&netback.tx.pace, rc ? "" : words);
	if (rc < 0)
		backend_fail(be, "rate=%s is not BYTES,MICROSECONDS", words);
	return rc < 0 ? -EINVAL : 0;
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
	n->tap = tap_open(n->script.vif);
	if (n->tap < 0) {
		backend_fail(be, "network interface %s: %s", n->script.vif, strerror(-n->tap));
		return -EINVAL;
	}
	rc = vif_script_run(&n->script, "online", said);
	if (rc < 0)
		return script_failed(be, rc, said);
	if (setpriority(PRIO_PROCESS, 0, PRIORITY) < 0)
		log_warn("%s: no higher priority", be->path);
	if (granted_make(&n->tx.arena, NET_TX_PAGES, NET_TX_PAGES) < 0 ||
	    granted_make(&n->rx.arena, NET_RX_PAGES, NET_RX_PAGES) < 0)
		return -ENOMEM;
	n->tx.copy.own = &n->tx.arena;
	n->rx.copy.own = &n->rx.arena;
	n->tx.gnt = n->rx.gnt = be->gnt;
	n->tx.domid = n->rx.domid = be->domid;
	n->tx.tap = n->rx.tap = n->tap;
	return 0;
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
		{ "multi-queue-max-queues", 1 },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = store_write(be->xs, t, be->path, keys[i].key, "%d", keys[i].value);
	return rc;
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

	n->rx.can_sg = sg;
	/* The tap knows one checksum switch for both families. */
	return tap_set_offload(n->tap, csum4 && csum6, sg && gso4, sg && gso6);
}

static int read_rings(struct backend *be, uint32_t refs[2], uint32_t *port)
{
	uint64_t tx, rx, evtchn;
	int rc = store_read_num(be->xs, be->frontend, "tx-ring-ref", UINT32_MAX, &tx);

	if (rc == 0)
		rc = store_read_num(be->xs, be->frontend, "rx-ring-ref", UINT32_MAX, &rx);
	if (rc == 0)
		rc = store_read_num(be->xs, be->frontend, "event-channel", UINT32_MAX, &evtchn);
	if (rc < 0)
		return rc;
	refs[0] = (uint32_t)tx;
	refs[1] = (uint32_t)rx;
	*port = (uint32_t)evtchn;
	return 0;
}

static int net_connect(struct backend *be)
{
	struct netback *n = be->dev;
	uint32_t refs[2], port;
	int rc;

	if (!store_read_bool(be->xs, be->frontend, "request-rx-copy", false))
		return -EOPNOTSUPP;
	rc = read_rings(be, refs, &port);
	if (rc == 0)
		rc = set_offload(be);
	if (rc == 0)
		rc = backend_attach(be, refs, 2, port);
	if (rc == 0)
		rc = bring_attach(&n->tx.ring, be->ring_page[0], &net_tx_geometry,
				  backend_record(be, 0), be->resumed);
	if (rc == 0)
		rc = bring_attach(&n->rx.ring, be->ring_page[1], &net_rx_geometry,
				  backend_record(be, 1), be->resumed);
	if (rc < 0)
		return rc;
	n->rx.held = n->rx.nr = n->rx.used = 0;
	n->rx.stalled = false;
	if (!be->resumed)
		tap_drain(n->tap);
	event_add(n->readable, NULL);
	return 0;
}

/* Moves packets to the guest; reads the tap only while the guest has room. */
static int move_rx(struct backend *be)
{
	struct netback *n = be->dev;
	bool notify;
	int rc = net_rx_work(&n->rx, &notify);

	if (notify)
		backend_notify(be);
	if (n->rx.stalled)
		event_del(n->readable);
	else if (rc >= 0)
		event_add(n->readable, NULL); /* nothing, while it is there */
	n->has_packet = rc > 0;
	return rc;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* Until the guest has a share again. */
static void wait_for_share(struct netback *n)
{
	const uint64_t us = (n->tx.wait_ns - n->tx.now_ns) / 1000 + 1;
	const struct timeval tv = { (time_t)(us / 1000000), (suseconds_t)(us % 1000000) };

	event_add(n->share, &tv);
}

static int net_work(struct backend *be)
{
	struct netback *n = be->dev;
	bool notify;
	int more, rc;

	n->tx.now_ns = now_ns();
	more = net_tx_work(&n->tx, &notify);
	if (n->tx.wait_ns)
		wait_for_share(n);
	if (notify)
		backend_notify(be);
	if (more < 0)
		return more;
	/* An event of the guest's sending is no reason to ask the tap. */
	rc = n->has_packet || n->rx.stalled ? move_rx(be) : 0;
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
	netback.has_packet = true;
	backend_kick(arg);
}

static void on_share(evutil_socket_t fd, short what, void *arg)
{
	backend_kick(arg);
}

static void net_disconnect(struct backend *be)
{
	struct netback *n = be->dev;

	event_del(n->readable);
	event_del(n->share);
	if (!backend_may_log(be))
		return;
	log_info("%s: sent %llu, bad %llu, dropped %llu; received %llu, bad %llu, dropped %llu",
		 be->path, (unsigned long long)n->tx.packets, (unsigned long long)n->tx.errors,
		 (unsigned long long)n->tx.dropped, (unsigned long long)n->rx.packets,
		 (unsigned long long)n->rx.errors, (unsigned long long)n->rx.dropped);
}

static int net_start(struct backend *be, struct event_base *base)
{
	netback.readable = event_new(base, netback.tap, EV_READ | EV_PERSIST, on_readable, be);
	netback.share = evtimer_new(base, on_share, be);
	return netback.readable && netback.share ? 0 : -ENOMEM;
}

static void net_fini(struct backend *be)
{
	if (netback.tap >= 0)
		close(netback.tap);
	netback.tap = -1;
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
