/* SPDX-License-Identifier: MIT */
/*
 * server.c - the daemon's state and its event loop. Single-threaded; no lock.
 * Order at the end of each callback: flush, connections that go on, flush, free the dead.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "again.h"
#include "change.h"
#include "conn.h"
#include "conn_ring.h"
#include "conn_socket.h"
#include "hv.h"
#include "lasting.h"
#include "store.h"
#include "log.h"
#include "monitor.h"
#include "named.h"
#include "notify.h"
#include "people.h"
#include "ports.h"
#include "saved.h"
#include "tree_mend.h"
#include "turns.h"
#include "txn.h"
#include "watch.h"

#define SCRATCH_SIZE (64u * 1024u)
/* A client of an unprivileged domain that reads nothing for this long is given up. */
#define STUCK_NS (60ull * 1000000000ull)

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int server_init(struct server *srv, const struct server_config *cfg, struct hv *hv)
{
	struct store *store;

	memset(srv, 0, sizeof(*srv));
	srv->cfg = *cfg;
	srv->hv = hv;
	quotas_init(&srv->quotas);
	turns_init(&srv->turns);
	srv->stats.start_ns = now_ns();
	srv->wire.next_conn_id = 1;
	srv->successor = -1;
	srv->loop = loop_create();
	srv->wire.scratch = malloc(SCRATCH_SIZE);
	if (!srv->loop || !srv->wire.scratch || domains_init(&srv->domains) < 0 ||
	    watch_table_init(&srv->watches) < 0)
		return -ENOMEM;
	srv->durable.off = cfg->in_memory;
	srv->durable.io.fd = -1;
	if (!cfg->in_memory)
		return 0;
	srv->durable.rev = UINT64_MAX;
	store = store_open_private();
	if (!store || server_take_store(srv, store, false) < 0)
		return -ENOMEM;
	/* Above what an earlier one has given out, which nobody has kept. */
	tree_continue(&srv->tree, now_ns());
	return 0;
}

static void stage(void *arg)
{
	struct server *srv = arg;

	conns_stage(srv);
	tree_stage(&srv->tree);
}

/*
 * Domains whose record is lost, but not what they have: they are known again, though not how their
 * rings are reached.
 */
static int know_domains(struct server *srv)
{
	struct domain *d;
	int ret = domain_find_or_adopt(srv, 0, &d);

	for (unsigned int domid = 1; ret == 0 && named_domid_next(&srv->tree, &domid); domid++) {
		/* People are counted when they come. */
		if (person_is(domid) || domain_find(&srv->domains, domid))
			continue;
		ret = domain_find_or_adopt(srv, domid, &d);
		if (ret == 0)
			log_errorx("d%u: lost what is known of it: introduce it again", domid);
		else if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

/* One node that has none below it. */
static int drop_node(struct server *srv, const char *path, size_t len)
{
	struct removal r;
	int ret = removal_gather(srv, path, len, &r);

	if (ret == 0)
		ret = store_room(srv->tree.store, 8 + r.nr_perms, 0, true);
	r.persistent = false;
	if (ret == 0)
		change_remove(srv, &r);
	removal_fini(&r);
	return ret;
}

/*
 * What lasts goes; what does not is nowhere else and stays, with the nodes above it, which the disk
 * replaces by its own.
 */
static int drop_lasting(struct server *srv, const char *top)
{
	struct removal r;
	int ret = removal_gather(srv, top, strlen(top), &r);

	for (size_t i = removal_size(&r); i-- > 0 && ret == 0;) {
		size_t len;
		const char *path = removal_path(&r, i, &len);
		struct node n;

		if (lasting_is(path, len) && tree_find(&srv->tree, path, len, &n) &&
		    n.nr_children == 0)
			ret = drop_node(srv, path, len);
	}
	removal_fini(&r);
	return ret;
}

/* What the disk has whole is to come from there. With that the tree is mended. */
static int drop_persistent(struct server *srv)
{
	struct buf tops = { 0 };
	int ret = lasting_tops(srv, &tops);

	for (size_t at = 0; at < buf_len(&tops) && ret == 0;) {
		const char *top = buf_front(&tops) + at;

		ret = drop_lasting(srv, top);
		at += strlen(top) + 1;
	}
	buf_fini(&tops);
	server_publish(srv);
	if (ret == 0)
		ret = store_room(srv->tree.store, 2, 64, true);
	if (ret < 0)
		return ret;
	store_still(srv->tree.store, STORE_UNLOADED);
	store_commit(srv->tree.store);
	return 0;
}

int server_take_store(struct server *srv, struct store *store, bool damaged)
{
	int ret = tree_init(&srv->tree, store);

	store_before_commit(store, stage, srv);
	if (ret == 0 && damaged)
		ret = tree_mend(&srv->tree);
	if (ret == 0)
		ret = saved_resume(srv);
	if (ret == 0 && damaged)
		ret = know_domains(srv);
	if (ret == 0)
		ret = tree_recount(&srv->tree, domain_count_node, srv);
	return ret < 0 || !damaged ? ret : drop_persistent(srv);
}

static void own_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

/* Descriptors that the server has opened itself. */
static void events_fini(struct server *srv)
{
	struct loop_fd *own[] = { &srv->tick, &srv->turns.timer, &srv->signals };

	loop_remove(&srv->hv_events);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (!loop_has(own[i]))
			continue;
		loop_remove(own[i]);
		close(own[i]->fd);
	}
}

void server_leave(struct server *srv)
{
	sigset_t set;

	trace_open(srv, NULL);
	own_signals(&set);
	if (loop_has(&srv->signals))
		sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void server_fini(struct server *srv)
{
	struct store *store;

	server_leave(srv);
	for (struct conn *c = srv->wire.conns; c; c = c->next)
		conn_kill(c);
	conns_reap(srv);
	sessions_fini(srv);
	bonds_fini(srv);
	leases_fini(srv);
	watch_table_fini(&srv->watches);
	fire_list_fini(&srv->fires);
	domains_fini(&srv->domains);
	store = srv->tree.store;
	tree_fini(&srv->tree);
	store_close(store);
	events_fini(srv);
	loop_destroy(srv->loop);
	ports_fini(srv);
	free(srv->wire.scratch);
	free(srv->ops.trace_path);
}

/* What every store has; directories of the persistent environment are flagged by their name. */
static const struct standard_node {
	const char *path;
	const char *value;
	struct xs_perm perm;
} standard_nodes[] = {
	{ "/", "", { 0, 0 } },
	{ "/tool", "", { 0, 0 } },
	{ "/tool/xenstored", "", { 0, 0 } },
	{ "/local", "", { 0, 0 } },
	{ "/local/domain", "", { 0, 0 } },
	{ "/local/domain/0", "", { 0, 0 } },
	{ "/config", "", { 0, 0 } },
	{ "/history", "", { 0, 0 } },
	{ "@introduceDomain", "", { 0, 0 } },
	{ "@releaseDomain", "", { 0, 0 } },
};

static int standard_node(struct server *srv, const struct standard_node *std)
{
	struct node_spec s = { .path = std->path, .len = strlen(std->path) };
	const struct change_need need = {
		.nr_nodes = 1,
		.nr_perms = 1,
		.bytes = s.len,
		.persistent = change_is_persistent(s.path, s.len),
	};
	struct node n;
	int ret;

	if (tree_find(&srv->tree, s.path, s.len, &n))
		return 0;
	ret = change_room(srv, &need);
	/* A disk that takes nothing is no reason not to serve the rest. */
	if (ret < 0 && need.persistent)
		return 0;
	s.perms = ret < 0 ? NULL : perms_get(&srv->tree.perms, &std->perm, 1);
	if (!s.perms)
		return -ENOMEM;
	change_create(srv, &s, &n);
	perms_put(&srv->tree.perms, s.perms);
	return 0;
}

int server_root(struct server *srv)
{
	struct domain *dom0;
	int ret = domain_find_or_adopt(srv, 0, &dom0);

	return ret < 0 ? ret : standard_node(srv, &standard_nodes[0]);
}

int server_standard_nodes(struct server *srv)
{
	int ret = server_root(srv);

	for (size_t i = 0; i < sizeof(standard_nodes) / sizeof(standard_nodes[0]); i++) {
		if (ret == 0)
			ret = standard_node(srv, &standard_nodes[i]);
	}
	server_publish(srv);
	store_commit(srv->tree.store);
	return ret;
}

uint64_t server_publish(struct server *srv)
{
	uint64_t rev = durable_published(srv);

	tree_publish(&srv->tree);
	return rev;
}

void server_turn(struct server *srv)
{
	conns_flush(srv);
	durable_turn(srv);
	turns_tick(srv);
	if (srv->wire.dead_list)
		conns_reap(srv);
}

static void hv_readable(void *arg, short events)
{
	struct server *srv = arg;
	bool changed;
	uint32_t port;

	for (int i = 0; i < 64 && srv->hv->next_event(srv->hv, &port, &changed) == 0; i++) {
		if (changed)
			domains_check(srv);
		else if (port_conn(srv, port))
			conn_ring_serve(port_conn(srv, port));
	}
	server_turn(srv);
}

/* The live environment is made smaller above this. */
#define STORE_SHRINK_LEAST ((uint64_t)16 << 20)

/* Gives up on unprivileged clients whose output has not moved for long (rule C8). */
static void tick(void *arg, short events)
{
	struct server *srv = arg;
	uint64_t now = now_ns();

	loop_timer_seen(&srv->tick);
	/* Once a second the loop goes round: that is what a watchdog may know. */
	notify_service("WATCHDOG=1");
	for (struct conn *c = srv->wire.conns; c; c = c->next) {
		/* Had no room for its record, or to begin: now there may be some. */
		if (c->domain)
			conn_again(c);
		if (!c->privileged && c->stuck_since_ns && !c->ignored &&
		    now - c->stuck_since_ns > STUCK_NS)
			conn_too_slow(c);
	}
	listener_resume(srv->wire.listener);
	listener_resume(srv->wire.ro_listener);
	if (srv->rights_stale)
		people_refresh(srv);
	watch_make_up(srv);
	if (srv->domains.ended_still_named)
		domains_forget_unknown(srv);
	durable_tick(srv);
	server_turn(srv);
	store_shrink(srv->tree.store, STORE_SHRINK_LEAST);
}

static void on_signal(void *arg, short events)
{
	struct signalfd_siginfo info;
	struct server *srv = arg;

	if (read(srv->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		trace_open(srv, srv->cfg.trace_path);
	else
		srv->stop = true;
}

/* Signals come by a descriptor. */
static int signals_init(struct server *srv)
{
	sigset_t set;

	own_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	srv->signals = (struct loop_fd){ .ready = on_signal, .arg = srv };
	srv->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return srv->signals.fd < 0 ? -errno : loop_add(srv->loop, &srv->signals, LOOP_READ);
}

static int events_init(struct server *srv)
{
	int ret = signals_init(srv);

	srv->tick = (struct loop_fd){ .ready = tick, .arg = srv };
	if (ret == 0)
		ret = loop_add_timer(srv->loop, &srv->tick);
	if (ret == 0)
		ret = turns_up(srv);
	if (ret == 0)
		ret = bonds_init(srv);
	if (ret < 0)
		return ret;
	loop_timer_set(&srv->tick, 1000000000u, 1000000000u);
	srv->hv_events = (struct loop_fd){ .ready = hv_readable, .arg = srv };
	srv->hv_events.fd = srv->hv->event_fd(srv->hv);
	return srv->hv_events.fd < 0 ? 0 : loop_add(srv->loop, &srv->hv_events, LOOP_READ);
}

int server_run(struct server *srv)
{
	if (events_init(srv) < 0)
		return -ENOMEM;
	/* Now also a signal to end is heard. */
	notify_service("READY=1\nSTATUS=serving");
	while (!srv->stop && !srv->want_live_update) {
		loop_turn(srv->loop, !conns_ask_again(srv));
		if (!conns_ask_again(srv))
			continue;
		conns_serve_again(srv);
		server_turn(srv);
	}
	return srv->want_live_update ? 1 : 0;
}

int server_set_quota(struct server *srv, struct domain *d, enum quota_kind kind, uint64_t value)
{
	if (saved_room_for(srv, 1, false) < 0)
		return -ENOSPC;
	if (d) {
		d->quota.set |= 1u << kind;
		d->quota.limit[kind] = value;
		saved_domain(srv, d);
	} else {
		srv->quotas.limit[kind] = value;
		saved_quotas(srv);
	}
	return 0;
}
