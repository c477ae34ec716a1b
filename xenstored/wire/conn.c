/* SPDX-License-Identifier: MIT */
/*
 * conn.c - clients: input to the dispatcher, messages to the output, events that wait. Transports
 * are conn_socket.c and conn_ring.c. Rules C1, C2, C8, C12.
 */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "again.h"
#include "bulk.h"
#include "confine.h"
#include "lease.h"
#include "store.h"
#include "monitor.h"
#include "ops.h"
#include "server.h"
#include "session.h"
#include "txn.h"
#include "watch.h"

struct conn *conn_create(struct server *srv, const struct conn_ops *ops, unsigned int domid,
			 struct domain *d, void *transport)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->srv = srv;
	c->ops = ops;
	c->domid = domid;
	c->who.domid = (uint16_t)domid;
	c->domain = d;
	c->account = d;
	c->privileged = domid == 0;
	c->transport = transport;
	c->id = srv->wire.next_conn_id++;
	c->next = srv->wire.conns;
	if (srv->wire.conns)
		srv->wire.conns->prev = c;
	srv->wire.conns = c;
	srv->wire.nr_conns++;
	return c;
}

void conn_kill(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	c->dead_next = c->srv->wire.dead_list;
	c->srv->wire.dead_list = c;
}

/* Frees the first held message. */
static void held_drop(struct conn *c)
{
	struct held_msg *m = c->held_first;

	c->held_first = m->next;
	if (!c->held_first)
		c->held_last = NULL;
	c->held_bytes -= m->size;
	free(m);
}

static void held_free(struct conn *c)
{
	while (c->held_first)
		held_drop(c);
}

void conn_forget_client(struct conn *c)
{
	struct server *srv = c->srv;

	monitor_forget(srv, c);
	durable_forget(c);
	feed_forget(srv, c);
	lease_forget(c);
	while (c->txns)
		txn_abort(srv, c->txns);
	precedence_forget(srv, c);
	watch_remove_all(srv, c);
	held_free(c);
	buf_fini(&c->in);
	buf_fini(&c->out);
	c->parked = false;
	c->park_bypass = false;
	c->awaits = CONN_WAIT_NONE;
	c->room_asked = 0;
	c->ignored = false;
	c->lost_in_a_row = 0;
	c->stuck_since_ns = 0;
	c->nr_outstanding = 0;
}

static void conn_destroy(struct conn *c)
{
	struct server *srv = c->srv;

	c->ops->fini(c);
	conn_forget_client(c);
	session_leave(srv, c, c->hung_up);
	confine_free(c->confine);
	user_leave(c);
	free(c->peer);
	if (c->prev)
		c->prev->next = c->next;
	else
		srv->wire.conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	srv->wire.nr_conns--;
	if (c->domain)
		c->domain->conn = NULL;
	free(c);
}

/* Takes the dead off the list of connections that hold messages. */
static void forget_held(struct server *srv)
{
	struct conn **at = &srv->wire.held_list;

	while (*at) {
		struct conn *c = *at;

		if (c->dead)
			*at = c->held_next;
		else
			at = &c->held_next;
	}
}

void conns_reap(struct server *srv)
{
	while (srv->wire.dead_list) {
		conns_flush(srv);
		conns_forget_again(srv);
		forget_held(srv);
		while (srv->wire.dead_list) {
			struct conn *c = srv->wire.dead_list;

			srv->wire.dead_list = c->dead_next;
			conn_destroy(c);
		}
	}
}

/* Whose output has bounds of its own: a person, or who serves a guest's device. */
static bool has_few(const struct conn *c)
{
	return !c->privileged || c->confine;
}

bool conn_may_start(const struct conn *c)
{
	if (c->dead || c->ignored || c->parked)
		return false;
	if (!c->domain)
		return conn_waiting(c) < (has_few(c) ? FEW_OUT_HIGH : CONN_OUT_HIGH);
	if (c->held_first || buf_len(&c->out) >= RING_OUT_HIGH)
		return false;
	return c->privileged || quota_allows(&c->srv->quotas, &c->domain->quota,
					     QUOTA_OUTSTANDING, c->nr_outstanding + 1);
}

size_t conn_input(struct conn *c, const char *data, size_t len, unsigned int budget)
{
	size_t used = 0;

	c->took_long = false;
	while (budget-- > 0 && !c->took_long && conn_may_start(c)) {
		struct xsd_sockmsg hdr;
		int total = xs_wire_get_hdr(data + used, len - used, &hdr);

		if (total < 0) {
			conn_kill(c);
			break;
		}
		if (total == 0 || (size_t)total > len - used)
			break;
		if (!ops_dispatch(c, &hdr, data + used + XS_WIRE_HDR_LEN)) {
			c->parked = true;
			break;
		}
		used += (size_t)total;
	}
	return used;
}

void conn_unpark(struct conn *c)
{
	if (!c->parked || c->dead)
		return;
	c->parked = false;
	c->ops->resume(c);
}

void conn_await(struct conn *c, enum conn_wait what)
{
	c->srv->wire.awaited[what] = true;
	c->awaits = what;
}

void conns_resume(struct server *srv, enum conn_wait what)
{
	if (!srv->wire.awaited[what])
		return;
	srv->wire.awaited[what] = false;
	for (struct conn *c = srv->wire.conns; c; c = c->next) {
		if (c->awaits != what)
			continue;
		c->awaits = CONN_WAIT_NONE;
		conn_unpark(c);
	}
}

void conn_want_flush(struct conn *c)
{
	struct server *srv = c->srv;

	if (c->flush_queued || c->dead)
		return;
	c->flush_queued = true;
	c->flush_next = NULL;
	if (srv->wire.flush_last)
		srv->wire.flush_last->flush_next = c;
	else
		srv->wire.flush_list = c;
	srv->wire.flush_last = c;
}

void conns_stage(struct server *srv)
{
	for (struct conn *c = srv->wire.flush_list; c; c = c->flush_next) {
		if (!c->dead && c->ops->stage)
			c->ops->stage(c);
	}
}

static void flush_listed(struct server *srv, const struct conn *last)
{
	bool more = last != NULL;

	/* Who asks meanwhile is behind the last one: that is to be committed first. */
	while (more && srv->wire.flush_list) {
		struct conn *c = srv->wire.flush_list;

		more = c != last;
		srv->wire.flush_list = c->flush_next;
		if (!srv->wire.flush_list)
			srv->wire.flush_last = NULL;
		c->flush_queued = false;
		if (!c->dead)
			c->ops->flush(c);
	}
}

void conns_flush(struct server *srv)
{
	bool stuck;

	do {
		srv->wire.short_of_room = false;
		conns_stage(srv);
		tree_stage(&srv->tree);
		/* No commit makes room for who waits for it: the next turn tries again. */
		stuck = srv->wire.short_of_room && !store_dirty(srv->tree.store);
		store_commit(srv->tree.store);
		flush_listed(srv, srv->wire.flush_last);
	} while (srv->wire.flush_list && !stuck);
}

/* Room behind a held message, so that it can become an error of any name in place. */
#define HELD_SPARE 32

/* Room for a held message of @len bytes, listed. NULL: no memory. */
static struct held_msg *held_add(struct conn *c, uint64_t seq, size_t len)
{
	size_t size = sizeof(struct held_msg) + len + HELD_SPARE;
	struct held_msg *m = malloc(size);

	if (!m)
		return NULL;
	m->size = (uint32_t)size;
	c->held_bytes += size;
	m->next = NULL;
	m->seq = seq;
	m->is_reply_to_change = true;
	m->len = (uint32_t)len;
	if (c->held_last)
		c->held_last->next = m;
	else
		c->held_first = m;
	c->held_last = m;
	if (!c->held_listed) {
		c->held_listed = true;
		c->held_next = c->srv->wire.held_list;
		c->srv->wire.held_list = c;
	}
	return m;
}

static int hold(struct conn *c, const struct conn_msg *msg)
{
	struct held_msg *m = held_add(c, msg->hold_seq, XS_WIRE_HDR_LEN + msg->hdr.len);

	if (!m)
		return -ENOMEM;
	m->is_reply_to_change = msg->change;
	memcpy(m->bytes, &msg->hdr, XS_WIRE_HDR_LEN);
	memcpy(m->bytes + XS_WIRE_HDR_LEN, msg->data, msg->hdr.len);
	return 0;
}

int conn_hold_again(struct conn *c, uint64_t seq, const void *bytes, size_t len)
{
	struct held_msg *m = held_add(c, seq, len);

	if (!m)
		return -ENOMEM;
	memcpy(m->bytes, bytes, len);
	return 0;
}

int conn_send(struct conn *c, const struct conn_msg *msg)
{
	char *to;

	if (msg->hdr.len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	if (c->held_first || msg->hold_seq > c->srv->durable.rev)
		return hold(c, msg);
	to = buf_room(&c->out, XS_WIRE_HDR_LEN + msg->hdr.len);
	if (!to)
		return -ENOMEM;
	memcpy(to, &msg->hdr, XS_WIRE_HDR_LEN);
	if (msg->hdr.len)
		memcpy(to + XS_WIRE_HDR_LEN, msg->data, msg->hdr.len);
	buf_added(&c->out, XS_WIRE_HDR_LEN + msg->hdr.len);
	conn_want_flush(c);
	return 0;
}

/* Queues the message itself. 0, or -Exxx: it can never be sent. */
static int send_event_now(struct conn *c, const struct watch *w, const char *path, size_t len)
{
	char payload[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	struct conn_msg msg = { .hdr.type = XS_WATCH_EVENT, .data = payload };
	size_t strip = w->strip < len ? w->strip : 0;
	size_t total = len - strip + 1 + w->token_len + 1u;

	if (total > sizeof(payload))
		return -E2BIG;
	memcpy(payload, path + strip, len - strip);
	payload[len - strip] = '\0';
	memcpy(payload + len - strip + 1, w->token, w->token_len + 1u);
	msg.hdr.len = (uint32_t)total;
	c->srv->stats.events++;
	return conn_send(c, &msg);
}

/* Behind a held message events wait in their queue, which merges and charges them. */
static bool takes_events(const struct conn *c)
{
	size_t high = c->domain ? RING_EVENTS_HIGH : has_few(c) ? FEW_EVENTS_HIGH : CONN_EVENTS_HIGH;

	return !c->held_first && buf_len(&c->out) < high;
}

/* Domain 0's clients are bounded too, generously: then the connection is closed. */
#define WAITING_EVENTS_MAX (64u * 1024u * 1024u)

/*
 * Of one that serves a guest's device: who is taken over with it has as many as the guest has
 * devices.
 */
static size_t waiting_events_max(const struct conn *c)
{
	return c->confine ? CONFINE_EVENTS : WAITING_EVENTS_MAX;
}

void conn_too_slow(struct conn *c)
{
	c->srv->stats.conns_dropped++;
	if (c->domain)
		c->ignored = true;
	else
		conn_kill(c);
	conn_forget_all_events(c);
}

void conn_send_event(struct conn *c, struct watch *w, const char *path, size_t len)
{
	size_t before = c->events.bytes;
	int ret;

	if (c->ignored)
		return;
	if (!c->events.first && takes_events(c)) {
		if (send_event_now(c, w, path, len) == -ENOMEM)
			c->srv->watches.events_lost = true;
		return;
	}
	ret = event_queue_add(&c->events, w, path, len);
	if (ret == 0)
		c->srv->stats.events_merged++;
	else if (ret < 0)
		c->srv->watches.events_lost = true;
	conn_use(c, QUOTA_MEMORY, (int64_t)(c->events.bytes - before));
	if (c->events.bytes > waiting_events_max(c) ||
	    conn_may(c, QUOTA_MEMORY, 0) < 0)
		conn_too_slow(c);
}

void conn_forget_events(struct conn *c, const struct watch *w)
{
	size_t before = c->events.bytes;

	event_queue_forget(&c->events, w);
	conn_use(c, QUOTA_MEMORY, -(int64_t)(before - c->events.bytes));
}

void conn_forget_all_events(struct conn *c)
{
	conn_use(c, QUOTA_MEMORY, -(int64_t)c->events.bytes);
	event_queue_fini(&c->events);
}

void conn_refill(struct conn *c)
{
	size_t before = c->events.bytes;

	while (c->events.first && takes_events(c)) {
		struct queued_event *e = event_queue_take(&c->events);

		if (send_event_now(c, e->watch, e->path, e->len) == -ENOMEM)
			c->srv->watches.events_lost = true;
		free(e);
	}
	if (before != c->events.bytes)
		conn_use(c, QUOTA_MEMORY, -(int64_t)(before - c->events.bytes));
}

static void release_held_of(struct conn *c, uint64_t seq)
{
	while (c->held_first && c->held_first->seq <= seq) {
		struct held_msg *m = c->held_first;

		if (buf_append(&c->out, m->bytes, m->len) < 0) {
			conn_kill(c);
			return;
		}
		held_drop(c);
	}
	conn_want_flush(c);
	if (!c->held_first && c->domain)
		c->ops->resume(c);
}

void conns_release_held(struct server *srv, uint64_t seq)
{
	struct conn **at = &srv->wire.held_list;

	while (*at) {
		struct conn *c = *at;

		if (!c->dead)
			release_held_of(c, seq);
		if (c->held_first) {
			at = &c->held_next;
			continue;
		}
		*at = c->held_next;
		c->held_listed = false;
	}
}

/* A reply that told of what did not come true becomes an error; so does what was read of it. */
static void fail_held_msg(struct held_msg *m, int err)
{
	const char *name = xs_wire_error_name(m->is_reply_to_change ? err : EIO);
	struct xsd_sockmsg hdr;

	memcpy(&hdr, m->bytes, XS_WIRE_HDR_LEN);
	if (hdr.type == XS_WATCH_EVENT || strlen(name) >= HELD_SPARE)
		return;
	xs_wire_put_hdr(m->bytes, XS_ERROR, hdr.req_id, hdr.tx_id, (uint32_t)strlen(name) + 1);
	memcpy(m->bytes + XS_WIRE_HDR_LEN, name, strlen(name) + 1);
	m->len = (uint32_t)(XS_WIRE_HDR_LEN + strlen(name) + 1);
}

void conns_fail_held(struct server *srv, uint64_t seq, int err)
{
	for (struct conn *c = srv->wire.held_list; c; c = c->held_next) {
		for (struct held_msg *m = c->held_first; m; m = m->next) {
			if (m->seq >= seq)
				fail_held_msg(m, err);
		}
	}
}
