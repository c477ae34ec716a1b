/* SPDX-License-Identifier: MIT */
/*
 * conn_ring.c - a domain's ring as a transport. The page belongs to the guest as much as to us:
 * every index is read once and checked (rule C1); our own positions are kept in the slot and only
 * copied to the page. Source: <xen/io/xs_wire.h>, docs/misc/xenstore-ring.txt of Xen.
 */
#include "conn_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "conn.h"
#include "domain.h"
#include "hv.h"
#include "journal.h"
#include "log.h"
#include "ops.h"
#include "record.h"
#include "ring_slot.h"
#include "server.h"
#include "txn.h"
#include "watch.h"

#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* Requests of one ring before others get their turn. */
#define RING_BUDGET 32

struct ring {
	struct hv_ring map;
	struct ring_slot slot;
	uint32_t port;
	bool known;		/* the slot knew this life of the domain */
	bool answered;		/* the request in the slot is done, its reply is held */
	bool moved;		/* the guest is to be notified */
};

static struct ring *ring_of(struct conn *c)
{
	return c->transport;
}

/* The guest broke the rules: no more requests from it, and it is told why. */
static void ring_fault(struct conn *c, uint32_t error)
{
	struct ring *ring = ring_of(c);

	c->ignored = true;
	WRITE_ONCE(ring->map.page->error, error);
	log_debug("d%u: ring fault %u, ignored from now on", c->domid, error);
}

static void copy_to_ring(char *ring, uint32_t prod, const char *from, uint32_t len)
{
	uint32_t at = MASK_XENSTORE_IDX(prod);
	uint32_t first = XENSTORE_RING_SIZE - at < len ? XENSTORE_RING_SIZE - at : len;

	memcpy(ring + at, from, first);
	memcpy(ring, from + first, len - first);
}

static void copy_from_ring(const char *ring, uint32_t cons, char *to, uint32_t len)
{
	uint32_t at = MASK_XENSTORE_IDX(cons);
	uint32_t first = XENSTORE_RING_SIZE - at < len ? XENSTORE_RING_SIZE - at : len;

	memcpy(to, ring + at, first);
	memcpy(to + first, ring, len - first);
}

/* Delivers from the slot's output area as much as the ring has room for. */
static void deliver(struct conn *c)
{
	struct ring *ring = ring_of(c);
	struct xenstore_domain_interface *page = ring->map.page;
	struct ring_state st = *ring_slot_state(&ring->slot);
	uint32_t used, n;
	char *out;

	if (st.out_len == 0)
		return;
	used = st.rsp_prod - READ_ONCE(page->rsp_cons);
	if (used > XENSTORE_RING_SIZE) {
		ring_fault(c, XENSTORE_ERROR_RINGIDX);
		return;
	}
	n = XENSTORE_RING_SIZE - used < st.out_len ? XENSTORE_RING_SIZE - used : st.out_len;
	out = ring_slot_out(&ring->slot, st.out_first + st.out_len);
	if (n == 0 || !out)
		return;
	copy_to_ring(page->rsp, st.rsp_prod, out + st.out_first, n);
	st.rsp_prod += n;
	st.out_len -= n;
	st.out_first = st.out_len ? st.out_first + n : 0;
	ring_slot_switch(&ring->slot, &st);
	/* Pairs with the guest's read of rsp_prod before it reads the bytes. */
	__atomic_store_n(&page->rsp_prod, st.rsp_prod, __ATOMIC_RELEASE);
	ring->moved = true;
	c->stuck_since_ns = 0;
	if (st.out_len == 0)
		c->nr_outstanding = 0;
}

/* Room at the end of the output area, after closing the gap at its front if that helps. */
static uint32_t out_room(struct ring *ring, struct ring_state *st)
{
	char *out;

	if (st->out_len == 0)
		st->out_first = 0;
	if (st->out_first && SLOT_OUT_SIZE - st->out_first - st->out_len < XS_WIRE_MSG_MAX &&
	    st->out_first >= st->out_len) {
		/* Source and target do not overlap: the old state stays whole until the switch. */
		out = ring_slot_out(&ring->slot, st->out_first + st->out_len);
		if (!out)
			return 0;
		memcpy(out, out + st->out_first, st->out_len);
		st->out_first = 0;
		ring_slot_switch(&ring->slot, st);
	}
	return SLOT_OUT_SIZE - st->out_first - st->out_len;
}

/* Moves whole messages from conn->out behind what the slot has; does not switch the state. */
static void fill_slot(struct conn *c, struct ring_state *st)
{
	struct ring *ring = ring_of(c);

	while (buf_len(&c->out) > 0) {
		struct xsd_sockmsg hdr;
		int len = xs_wire_get_hdr(buf_front(&c->out), buf_len(&c->out), &hdr);
		char *out;

		if (len <= 0 || (uint32_t)len > out_room(ring, st))
			break;
		out = ring_slot_out(&ring->slot, st->out_first + st->out_len + (uint32_t)len);
		if (!out)
			break;
		memcpy(out + st->out_first + st->out_len, buf_front(&c->out), (size_t)len);
		st->out_len += (uint32_t)len;
		buf_take(&c->out, (size_t)len);
	}
}

static void notify(struct conn *c)
{
	struct ring *ring = ring_of(c);

	if (!ring->moved)
		return;
	ring->moved = false;
	c->srv->hv->notify(c->srv->hv, ring->port);
}

static void ring_flush(struct conn *c)
{
	struct ring *ring = ring_of(c);
	struct ring_state st;

	do {
		st = *ring_slot_state(&ring->slot);
		/* The reply of the request in the slot goes together with its end: finish(). */
		if (ring->answered)
			break;
		fill_slot(c, &st);
		ring_slot_switch(&ring->slot, &st);
		deliver(c);
		if (ring_slot_state(&ring->slot)->out_len || c->ignored)
			break;
		conn_refill(c);
	} while (buf_len(&c->out) > 0);
	if ((ring_slot_state(&ring->slot)->out_len || c->events.first) && !c->stuck_since_ns)
		c->stuck_since_ns = now_ns();
	notify(c);
}

/* The request in the slot is over: its reply enters the output and the next one may come. */
static void request_done(struct conn *c)
{
	struct ring *ring = ring_of(c);
	struct ring_state st = *ring_slot_state(&ring->slot);

	ring->answered = false;
	fill_slot(c, &st);
	st.in_len = 0;
	st.msg_seq++;
	ring_slot_switch(&ring->slot, &st);
}

static bool room_for_reply(struct conn *c)
{
	struct ring_state st = *ring_slot_state(&ring_of(c)->slot);

	return buf_len(&c->out) == 0 && out_room(ring_of(c), &st) >= XS_WIRE_MSG_MAX;
}

/* Takes bytes of one request from the ring. Returns its header length when it is whole, else 0. */
static int take_in(struct conn *c, struct xsd_sockmsg *hdr)
{
	struct ring *ring = ring_of(c);
	struct xenstore_domain_interface *page = ring->map.page;

	for (;;) {
		struct ring_state st = *ring_slot_state(&ring->slot);
		char *in = ring_slot_in(&ring->slot, 0);
		int total = xs_wire_get_hdr(in, st.in_len, hdr);
		uint32_t want, avail;

		if (total < 0) {
			ring_fault(c, XENSTORE_ERROR_PROTO);
			return 0;
		}
		if (total && (uint32_t)total == st.in_len)
			return total;
		/* Acquire: pairs with the guest's store of req_prod after the bytes. */
		avail = __atomic_load_n(&page->req_prod, __ATOMIC_ACQUIRE) - st.in_cons;
		if (avail > XENSTORE_RING_SIZE) {
			ring_fault(c, XENSTORE_ERROR_RINGIDX);
			return 0;
		}
		want = (total ? (uint32_t)total : XS_WIRE_HDR_LEN) - st.in_len;
		if (want > avail)
			want = avail;
		if (want == 0)
			return 0;
		in = ring_slot_in(&ring->slot, (size_t)total);
		if (!in)
			return 0;
		if (st.in_len == XS_WIRE_HDR_LEN)
			memmove(in, ring_slot_in(&ring->slot, 0), XS_WIRE_HDR_LEN);
		copy_from_ring(page->req, st.in_cons, in + st.in_len, want);
		st.in_cons += want;
		st.in_len += want;
		ring_slot_switch(&ring->slot, &st);
		__atomic_store_n(&page->req_cons, st.in_cons, __ATOMIC_RELEASE);
		ring->moved = true;
	}
}

/* Carries out the request in the slot. False: it has to wait. */
static bool carry_out(struct conn *c, const struct xsd_sockmsg *hdr, int total)
{
	struct ring *ring = ring_of(c);
	const char *in = ring_slot_in(&ring->slot, (size_t)total);

	c->msg_seq = ring_slot_state(&ring->slot)->msg_seq;
	if (!in || !ops_dispatch(c, hdr, in + XS_WIRE_HDR_LEN)) {
		c->parked = true;
		return false;
	}
	if (c->held_first) {
		ring->answered = true;
		return false;
	}
	request_done(c);
	return true;
}

static void check_reconnect(struct conn *c)
{
	struct ring *ring = ring_of(c);

	if (READ_ONCE(ring->map.page->connection) == XENSTORE_RECONNECT)
		conn_ring_reset(c);
}

void conn_ring_serve(struct conn *c)
{
	struct ring *ring = ring_of(c);
	unsigned int budget = RING_BUDGET;
	struct xsd_sockmsg hdr;
	int total;

	if (c->dead)
		return;
	check_reconnect(c);
	if (ring->answered && !c->held_first)
		request_done(c);
	ring_flush(c);
	while (budget-- > 0 && !ring->answered && conn_may_start(c) && room_for_reply(c)) {
		total = take_in(c, &hdr);
		if (total == 0 || !carry_out(c, &hdr, total))
			break;
		ring_flush(c);
	}
	if (budget == (unsigned int)-1)
		server_again(c->srv, c);
	ring_flush(c);
}

static void ring_resume(struct conn *c)
{
	server_again(c->srv, c);
}

static void ring_fini(struct conn *c)
{
	struct ring *ring = ring_of(c);

	server_port_unbound(c->srv, ring->port, c);
	if (!c->srv->keep_rings)
		ring_slot_drop(&ring->slot);
	c->srv->hv->ring_unmap(c->srv->hv, &ring->map);
	free(ring);
}

static const struct conn_ops ring_ops = {
	.flush = ring_flush,
	.serve = conn_ring_serve,
	.resume = ring_resume,
	.fini = ring_fini,
};

/* Where the ring stands: the slot if it knows this life of the domain, else the page. */
static int ring_attach(struct server *srv, struct domain *d, struct ring *ring)
{
	struct xenstore_domain_interface *page = ring->map.page;
	struct ring_state st = { .msg_seq = 1 };
	bool found;
	int ret = ring_slot_get(srv->slots, d->domid, d->identity, &ring->slot, &found);

	if (ret < 0)
		return ret;
	ring->known = found;
	if (!found) {
		st.in_cons = READ_ONCE(page->req_cons);
		st.rsp_prod = READ_ONCE(page->rsp_prod);
		ring_slot_switch(&ring->slot, &st);
	}
	st = *ring_slot_state(&ring->slot);
	WRITE_ONCE(page->req_cons, st.in_cons);
	WRITE_ONCE(page->rsp_prod, st.rsp_prod);
	WRITE_ONCE(page->server_features, d->features);
	WRITE_ONCE(page->error, XENSTORE_ERROR_NONE);
	return 0;
}

int conn_ring_create(struct server *srv, struct domain *d, uint64_t gfn, uint32_t port)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int ret = -ENOMEM;

	if (!ring)
		return ret;
	ret = srv->hv->ring_map(srv->hv, d->domid, gfn, port, &ring->map);
	if (ret < 0 || !ring->map.page) {
		/* The socket-only daemon has no rings, but domains may be introduced to it. */
		free(ring);
		return ret;
	}
	ring->port = ring->map.port;
	/* A kernel that waits for its store learns of it by the first event. */
	ring->moved = true;
	if (!d->introduced)
		d->features = XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR;
	ret = ring_attach(srv, d, ring);
	if (ret < 0)
		goto out_unmap;
	d->conn = conn_create(srv, &ring_ops, d->domid, d, ring);
	if (!d->conn) {
		ret = -ENOMEM;
		goto out_slot;
	}
	ret = server_port_bound(srv, ring->port, d->conn);
	if (ret < 0) {
		/* Frees the ring with it, at the end of the turn. */
		d->conn->domain_gone = true;
		d->conn->domain = NULL;
		conn_kill(d->conn);
		d->conn = NULL;
		return ret;
	}
	server_again(srv, d->conn);
	return 0;
out_slot:
	ring_slot_drop(&ring->slot);
out_unmap:
	srv->hv->ring_unmap(srv->hv, &ring->map);
	free(ring);
	return ret;
}

void conn_ring_resumed(struct conn *c)
{
	if (ring_of(c)->known)
		return;
	log_errorx("d%u: what its ring was in the middle of is lost; it is not served before it "
		   "connects anew",
		   c->domid);
	ring_fault(c, XENSTORE_ERROR_COMM);
}

int conn_ring_rebind(struct conn *c, uint32_t port)
{
	struct ring *ring = ring_of(c);
	int ret = c->srv->hv->ring_rebind(c->srv->hv, c->domid, port, &ring->map);

	if (ret < 0)
		return ret;
	server_port_unbound(c->srv, ring->port, c);
	ring->port = ring->map.port;
	ret = server_port_bound(c->srv, ring->port, c);
	server_again(c->srv, c);
	return ret;
}

void conn_ring_reset(struct conn *c)
{
	struct ring *ring = ring_of(c);
	struct xenstore_domain_interface *page = ring->map.page;
	struct ring_state st = { .msg_seq = ring_slot_state(&ring->slot)->msg_seq + 1 };

	conn_ring_log_gone(c);
	conn_forget_client(c);
	server_publish(c->srv);
	/* The answer to a request of before, which the disk may still keep waiting, is nobody's. */
	ring->answered = false;
	ring_slot_switch(&ring->slot, &st);
	WRITE_ONCE(page->req_cons, 0);
	WRITE_ONCE(page->req_prod, 0);
	WRITE_ONCE(page->rsp_cons, 0);
	WRITE_ONCE(page->rsp_prod, 0);
	WRITE_ONCE(page->error, XENSTORE_ERROR_NONE);
	__atomic_store_n(&page->connection, XENSTORE_CONNECTED, __ATOMIC_RELEASE);
	ring->moved = true;
}

/* Reserved in one piece: the records are small, and the domain's end must not stop half-way. */
void conn_ring_log_gone(struct conn *c)
{
	struct server *srv = c->srv;
	char key[RECORD_KEY_MAX];

	if (!srv->journal ||
	    change_reserve(srv, c->nr_watches + c->nr_txns + 1u, 0, true) < 0)
		return;
	for (struct watch *w = c->watch_first; w; w = w->next)
		journal_del(srv->journal, JOURNAL_RUNTIME, key,
			    record_key(key, RECORD_WATCH, c->domid, w->id));
	for (struct txn *t = c->txns; t; t = t->next)
		journal_del(srv->journal, JOURNAL_RUNTIME, key,
			    record_key(key, RECORD_TXN, c->domid, t->id));
}

int conn_ring_replay(struct conn *c, uint64_t msg_seq, const char *reply, uint32_t len)
{
	struct ring *ring = ring_of(c);

	if (ring_slot_state(&ring->slot)->msg_seq != msg_seq)
		return 0;
	if (buf_append(&c->out, reply, len) < 0)
		return -ENOMEM;
	request_done(c);
	return 0;
}
