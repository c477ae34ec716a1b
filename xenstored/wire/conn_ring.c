/* SPDX-License-Identifier: MIT */
/*
 * conn_ring.c - a domain's ring as a transport. The page belongs to the guest as much as to us:
 * every index is read once and checked (rule C1); our own positions are kept here and only copied
 * to the page. Source: <xen/io/xs_wire.h>, docs/misc/xenstore-ring.txt of Xen.
 *
 * Order of a turn: requests are taken and carried out; the ring's record, with what was taken and
 * the answers, enters the commit (stage); after the commit the page shows it (flush). So a kill at
 * any instruction leaves a record and a page from which a new daemon goes on: what the page has
 * not been told to be taken is taken from the record, and what was delivered the page knows.
 */
#include "conn_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "again.h"
#include "bytes.h"
#include "conn.h"
#include "domain.h"
#include "hv.h"
#include "store.h"
#include "log.h"
#include "ops.h"
#include "ports.h"
#include "saved.h"
#include "server.h"
#include "txn.h"
#include "watch.h"

#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* Requests of one ring before others get their turn. */
#define RING_BUDGET 32
/* Undelivered bytes that are kept: one reply of the largest size always fits behind none. */
#define RING_OUT_MAX 10240u

/* The record: identity, positions, the revision that the held message waits for, three lengths. */
#define AT_IDENTITY	0
#define AT_IN_CONS	8
#define AT_RSP_PROD	12
#define AT_HELD_REV	16
#define AT_IN_LEN	24
#define AT_OUT_LEN	26
#define AT_HELD_LEN	28
#define RECORD_FIXED	32
#define RECORD_MAX	(STORE_HEAD + RECORD_FIXED + RING_OUT_MAX + 2 * (XS_WIRE_MSG_MAX + 64))

struct ring {
	struct hv_ring map;
	uint32_t port;		/* 0: no channel could be bound */
	uint32_t in_cons;	/* bytes taken from the request ring (free-running) */
	uint32_t shown_cons;	/* what the page says of it */
	uint32_t rsp_prod;	/* bytes put into the response ring (free-running) */
	struct buf in;		/* of them, those of the unfinished request */
	struct buf out;		/* undelivered messages */
	size_t ready;		/* bytes at the front of @out that are committed */
	bool known;		/* there was a record of this life of the domain */
	bool changed;		/* the record is not as it is here */
	bool reset;		/* the page is to begin anew, after the commit */
	bool starved;		/* there may be requests that wait for room in the output */
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

/* --- the record --- */

/* Moves whole messages from conn->out behind what is undelivered. */
static void fill_out(struct conn *c)
{
	struct ring *ring = ring_of(c);

	while (buf_len(&c->out) > 0) {
		struct xsd_sockmsg hdr;
		int len = xs_wire_get_hdr(buf_front(&c->out), buf_len(&c->out), &hdr);

		if (len <= 0 || buf_len(&ring->out) + (size_t)len > RING_OUT_MAX ||
		    buf_append(&ring->out, buf_front(&c->out), (size_t)len) < 0)
			break;
		buf_take(&c->out, (size_t)len);
		ring->changed = true;
	}
}

static void put_part(unsigned char *rec, size_t *at, int len_at, const void *data, size_t len)
{
	put_le16(rec + STORE_HEAD + len_at, (uint16_t)len);
	if (len)
		memcpy(rec + *at, data, len);
	*at += len;
}

static void record_put(struct conn *c)
{
	unsigned char key[2], rec[RECORD_MAX] XS_NOT_CLEARED, *p = rec + STORE_HEAD;
	const struct held_msg *held = c->held_first;
	struct ring *ring = ring_of(c);
	size_t at = STORE_HEAD + RECORD_FIXED;

	be16_put(key, c->domid);
	memset(p, 0, RECORD_FIXED);
	put_le64(p + AT_IDENTITY, c->domain->identity);
	put_le32(p + AT_IN_CONS, ring->in_cons);
	put_le32(p + AT_RSP_PROD, ring->rsp_prod);
	put_le64(p + AT_HELD_REV, held ? held->seq : 0);
	put_part(rec, &at, AT_IN_LEN, buf_front(&ring->in), buf_len(&ring->in));
	put_part(rec, &at, AT_OUT_LEN, buf_front(&ring->out), buf_len(&ring->out));
	put_part(rec, &at, AT_HELD_LEN, held ? held->bytes : "", held ? held->len : 0);
	store_put(c->srv->tree.store, STORE_RING, key, sizeof(key), rec, at);
	ring->changed = false;
}

static void ring_stage(struct conn *c)
{
	struct ring *ring = ring_of(c);

	/* A domain that has ended has no record any more. */
	if (!c->domain)
		return;
	/* Room for what it took was asked for before; events may wait for the next commit. */
	if (!ring->changed && buf_len(&c->out) > 0 &&
	    !store_spare(c->srv->tree.store, 1, RECORD_MAX)) {
		c->srv->wire.short_of_room = true;
		return;
	}
	fill_out(c);
	if (ring->changed)
		record_put(c);
}

/* Room for the record and for what a commit in the middle of the turn puts. */
static bool room_for_record(struct conn *c)
{
	return store_room(c->srv->tree.store, 2, RECORD_MAX, true) == 0;
}

/* --- output --- */

/* As much of what is committed as the page has room for. */
static void deliver(struct conn *c)
{
	struct ring *ring = ring_of(c);
	struct xenstore_domain_interface *page = ring->map.page;
	uint32_t used, n;

	if (ring->ready == 0 || ring->reset)
		return;
	used = ring->rsp_prod - READ_ONCE(page->rsp_cons);
	if (used > XENSTORE_RING_SIZE) {
		ring_fault(c, XENSTORE_ERROR_RINGIDX);
		return;
	}
	n = XENSTORE_RING_SIZE - used;
	if (n > ring->ready)
		n = (uint32_t)ring->ready;
	if (n == 0)
		return;
	copy_to_ring(page->rsp, ring->rsp_prod, buf_front(&ring->out), n);
	ring->rsp_prod += n;
	ring->ready -= n;
	buf_take(&ring->out, n);
	/* Pairs with the guest's read of rsp_prod before it reads the bytes. */
	__atomic_store_n(&page->rsp_prod, ring->rsp_prod, __ATOMIC_RELEASE);
	ring->moved = true;
	c->stuck_since_ns = 0;
	if (buf_len(&ring->out) == 0)
		c->nr_outstanding = 0;
}

static void show_reset(struct ring *ring)
{
	struct xenstore_domain_interface *page = ring->map.page;

	ring->reset = false;
	ring->shown_cons = 0;
	WRITE_ONCE(page->req_cons, 0);
	WRITE_ONCE(page->req_prod, 0);
	WRITE_ONCE(page->rsp_cons, 0);
	WRITE_ONCE(page->rsp_prod, 0);
	WRITE_ONCE(page->error, XENSTORE_ERROR_NONE);
	__atomic_store_n(&page->connection, XENSTORE_CONNECTED, __ATOMIC_RELEASE);
	ring->moved = true;
}

static void show_taken(struct ring *ring)
{
	if (ring->shown_cons == ring->in_cons)
		return;
	ring->shown_cons = ring->in_cons;
	__atomic_store_n(&ring->map.page->req_cons, ring->in_cons, __ATOMIC_RELEASE);
	ring->moved = true;
}

static bool room_for_reply(struct conn *c)
{
	return buf_len(&c->out) == 0 &&
	       buf_len(&ring_of(c)->out) + XS_WIRE_MSG_MAX <= RING_OUT_MAX;
}

/* After the commit: all that is staged may be seen. */
static void ring_flush(struct conn *c)
{
	struct ring *ring = ring_of(c);

	if (ring->reset)
		show_reset(ring);
	show_taken(ring);
	ring->ready = buf_len(&ring->out);
	deliver(c);
	if (buf_len(&ring->out) == 0 && !c->ignored)
		conn_refill(c);
	if (buf_len(&c->out) > 0 && buf_len(&ring->out) == 0)
		conn_want_flush(c);
	/* Events behind a held message wait for the disk, not for the guest. */
	if ((buf_len(&ring->out) || (c->events.first && !c->held_first)) && !c->stuck_since_ns)
		c->stuck_since_ns = now_ns();
	if (ring->starved && conn_may_start(c) && room_for_reply(c)) {
		ring->starved = false;
		conn_again(c);
	}
	if (ring->moved && ring->port)
		c->srv->hv->notify(c->srv->hv, ring->port);
	ring->moved = false;
}

/* --- input --- */

/* Takes bytes of one request from the ring. Returns its length when it is whole, else 0. */
static int take_in(struct conn *c, struct xsd_sockmsg *hdr)
{
	struct ring *ring = ring_of(c);
	struct xenstore_domain_interface *page = ring->map.page;

	for (;;) {
		size_t have = buf_len(&ring->in);
		int total = xs_wire_get_hdr(buf_front(&ring->in), have, hdr);
		uint32_t want, avail;
		char *to;

		if (total < 0) {
			ring_fault(c, XENSTORE_ERROR_PROTO);
			return 0;
		}
		if (total && (size_t)total == have)
			return total;
		/* Acquire: pairs with the guest's store of req_prod after the bytes. */
		avail = __atomic_load_n(&page->req_prod, __ATOMIC_ACQUIRE) - ring->in_cons;
		if (avail > XENSTORE_RING_SIZE) {
			ring_fault(c, XENSTORE_ERROR_RINGIDX);
			return 0;
		}
		want = (total ? (uint32_t)total : XS_WIRE_HDR_LEN) - (uint32_t)have;
		if (want > avail)
			want = avail;
		to = want ? buf_room(&ring->in, want) : NULL;
		if (!to)
			return 0;
		copy_from_ring(page->req, ring->in_cons, to, want);
		buf_added(&ring->in, want);
		ring->in_cons += want;
		ring->changed = true;
		conn_want_flush(c);
	}
}

/* Carries out the request that has been taken. False: it has to wait. */
static bool carry_out(struct conn *c, const struct xsd_sockmsg *hdr)
{
	struct ring *ring = ring_of(c);

	if (!ops_dispatch(c, hdr, buf_front(&ring->in) + XS_WIRE_HDR_LEN)) {
		c->parked = true;
		return false;
	}
	/* Its effects, its end and its reply are in one commit. */
	buf_take(&ring->in, buf_len(&ring->in));
	ring->changed = true;
	fill_out(c);
	conn_want_flush(c);
	return true;
}

static void check_reconnect(struct conn *c)
{
	struct ring *ring = ring_of(c);

	if (!ring->reset && READ_ONCE(ring->map.page->connection) == XENSTORE_RECONNECT)
		conn_ring_reset(c);
}

void conn_ring_serve(struct conn *c)
{
	struct ring *ring = ring_of(c);
	unsigned int budget = RING_BUDGET;
	struct xsd_sockmsg hdr;

	if (c->dead || !room_for_record(c))
		return;
	check_reconnect(c);
	deliver(c);
	/* What is in the page belongs to the connection of before, until it says otherwise. */
	while (budget > 0 && !ring->reset && conn_may_start(c) && room_for_reply(c)) {
		if (take_in(c, &hdr) == 0 || !carry_out(c, &hdr))
			break;
		budget--;
	}
	ring->starved = !conn_may_start(c) || !room_for_reply(c);
	if (budget == 0)
		conn_again(c);
	conn_want_flush(c);
}

static void ring_resume(struct conn *c)
{
	conn_again(c);
}

static void ring_fini(struct conn *c)
{
	struct ring *ring = ring_of(c);
	unsigned char key[2];

	port_unbound(c->srv, ring->port, c);
	be16_put(key, c->domid);
	if (!c->srv->keep_rings && c->domain)
		store_del(c->srv->tree.store, STORE_RING, key, sizeof(key));
	c->srv->hv->ring_unmap(c->srv->hv, &ring->map);
	buf_fini(&ring->in);
	buf_fini(&ring->out);
	free(ring);
}

static const struct conn_ops ring_ops = {
	.stage = ring_stage,
	.flush = ring_flush,
	.serve = conn_ring_serve,
	.resume = ring_resume,
	.fini = ring_fini,
};

/* --- connecting --- */

/*
 * What of the output in the record the page has already: it was told after a later commit than
 * that of the record. The guest can write there, too, and so only harm itself.
 */
static void drop_delivered(struct ring *ring)
{
	uint32_t delivered = READ_ONCE(ring->map.page->rsp_prod) - ring->rsp_prod;

	if (delivered > buf_len(&ring->out))
		return;
	ring->rsp_prod += delivered;
	buf_take(&ring->out, delivered);
}

/* 0: no record of this life of the domain; 1: taken over; -ENOMEM. */
static int record_get(struct conn *c)
{
	struct ring *ring = ring_of(c);
	size_t in_len, out_len, held_len;
	const unsigned char *p;
	struct store_bytes rec;
	unsigned char key[2];

	be16_put(key, c->domid);
	if (!store_get(c->srv->tree.store, STORE_RING, key, sizeof(key), &rec) ||
	    rec.len < RECORD_FIXED)
		return 0;
	p = rec.data;
	in_len = get_le16(p + AT_IN_LEN);
	out_len = get_le16(p + AT_OUT_LEN);
	held_len = get_le16(p + AT_HELD_LEN);
	if (get_le64(p + AT_IDENTITY) != c->domain->identity ||
	    rec.len != RECORD_FIXED + in_len + out_len + held_len)
		return 0;
	ring->in_cons = get_le32(p + AT_IN_CONS);
	ring->rsp_prod = get_le32(p + AT_RSP_PROD);
	if (buf_append(&ring->in, p + RECORD_FIXED, in_len) < 0 ||
	    buf_append(&ring->out, p + RECORD_FIXED + in_len, out_len) < 0)
		return -ENOMEM;
	drop_delivered(ring);
	ring->ready = buf_len(&ring->out);
	if (held_len && conn_hold_again(c, get_le64(p + AT_HELD_REV),
					p + RECORD_FIXED + in_len + out_len, held_len) < 0)
		return -ENOMEM;
	return 1;
}

/* Where the ring stands: the record if it knows this life of the domain, else the page. */
static int ring_attach(struct conn *c)
{
	struct ring *ring = ring_of(c);
	struct xenstore_domain_interface *page = ring->map.page;
	int ret = record_get(c);

	if (ret < 0)
		return ret;
	ring->known = ret;
	ring->changed = !ring->known;
	if (!ring->known) {
		ring->in_cons = READ_ONCE(page->req_cons);
		ring->rsp_prod = READ_ONCE(page->rsp_prod);
	}
	ring->shown_cons = ring->in_cons;
	WRITE_ONCE(page->req_cons, ring->in_cons);
	WRITE_ONCE(page->rsp_prod, ring->rsp_prod);
	WRITE_ONCE(page->server_features, c->domain->features);
	WRITE_ONCE(page->error, XENSTORE_ERROR_NONE);
	return 0;
}

/* The connection that could not be finished: frees the ring with it, at the end of the turn. */
static int give_up(struct domain *d, int ret)
{
	d->conn->domain_gone = true;
	d->conn->domain = NULL;
	d->conn->account = NULL;
	conn_kill(d->conn);
	d->conn = NULL;
	return ret;
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
	d->conn = conn_create(srv, &ring_ops, d->domid, d, ring);
	if (!d->conn) {
		srv->hv->ring_unmap(srv->hv, &ring->map);
		free(ring);
		return -ENOMEM;
	}
	ret = ring_attach(d->conn);
	if (ret == 0)
		ret = port_bound(srv, ring->port, d->conn);
	if (ret < 0)
		return give_up(d, ret);
	conn_want_flush(d->conn);
	conn_again(d->conn);
	return 0;
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

	port_unbound(c->srv, ring->port, c);
	ring->port = ring->map.port;
	if (ret == 0)
		ret = port_bound(c->srv, ring->port, c);
	conn_again(c);
	return ret;
}

void conn_ring_reset(struct conn *c)
{
	struct ring *ring = ring_of(c);

	if (saved_room(c, true) < 0)
		return;
	saved_forget(c);
	/* Also the answer to a request of before, which the disk may still keep waiting. */
	conn_forget_client(c);
	server_publish(c->srv);
	buf_fini(&ring->in);
	buf_fini(&ring->out);
	ring->ready = 0;
	ring->in_cons = ring->rsp_prod = 0;
	ring->changed = ring->reset = true;
	conn_want_flush(c);
}
