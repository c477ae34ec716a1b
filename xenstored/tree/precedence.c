/* SPDX-License-Identifier: MIT */
/*
 * precedence.c - see precedence.h (rule C9). Owns the two turns and the queues for them. A turn
 * passes when its transaction ends or is over time; then everybody who waited tries again.
 */
#include "precedence.h"

#include "conn.h"
#include "server.h"
#include "txn.h"

/* How long a client that goes first may take: nobody holds up others for longer. */
#define DOM0_NS		100000000ull
#define GUEST_NS	5000000ull

/* Whether it goes before guests: domain 0, but not what serves one guest's device. */
static bool for_host(const struct conn *c)
{
	return c->privileged && !c->confine;
}

static struct precedence *turn_of(const struct conn *c)
{
	return &c->srv->turns.precedence[for_host(c) ? 0 : 1];
}

static void set_end(struct precedence *p, const struct conn *c)
{
	p->until_ns = now_ns() + (for_host(c) ? DOM0_NS : GUEST_NS);
}

static void enqueue(struct precedence *p, struct conn *c)
{
	c->turn_queued = true;
	TAILQ_INSERT_TAIL(&p->waiting, c, turn_next);
}

static void leave_queue(struct precedence *p, struct conn *c)
{
	if (c->turn_queued)
		TAILQ_REMOVE(&p->waiting, c, turn_next);
	c->turn_queued = false;
}

void precedence_init(struct precedence *p)
{
	*p = (struct precedence){ 0 };
	TAILQ_INIT(&p->waiting);
}

bool precedence_may_start(struct conn *c)
{
	struct precedence *p = turn_of(c);

	if (c->lost_in_a_row < PRECEDENCE_LOSSES || p->called == c || (p->txn && p->txn->conn == c))
		return true;
	if (!p->txn && !p->called && TAILQ_EMPTY(&p->waiting))
		return true;
	if (!c->turn_queued)
		enqueue(p, c);
	return false;
}

void precedence_started(struct conn *c, struct txn *t)
{
	struct precedence *p = turn_of(c);

	if (c->lost_in_a_row < PRECEDENCE_LOSSES || p->txn)
		return;
	p->called = NULL;
	p->txn = t;
	set_end(p, c);
}

/* What the client was told about; what it may not read is not its to protect. */
static bool guarded(const struct tnode *tn)
{
	return tn && tn->seen && tn->allowed;
}

static bool guards_above(struct txn *t, const char *path, size_t len)
{
	while ((len = xs_path_parent_len(path, len)) > 0) {
		const struct tnode *tn = txn_lookup(t, path, len);

		if (guarded(tn) && (tn->base_id == 0 || tn->seen & SEEN_CHILDREN))
			return true;
	}
	return false;
}

static bool guards(struct txn *t, const char *path, size_t len, bool below)
{
	if (guarded(txn_lookup(t, path, len)) || guards_above(t, path, len))
		return true;
	for (const struct tnode *tn = below ? t->first : NULL; tn; tn = tn->next) {
		if (guarded(tn) && xs_path_is_within(tn->path, tn->path_len, path, len))
			return true;
	}
	return false;
}

/* The transaction that goes before requests of @c in turn @i, or NULL. */
static struct txn *before(const struct conn *c, unsigned int i)
{
	struct txn *t = c->srv->turns.precedence[i].txn;

	return t && t->conn != c && (i == 0 || !for_host(c)) ? t : NULL;
}

bool precedence_waits(struct conn *c, const char *path, size_t len, bool below)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct txn *t = before(c, i);

		if (t && guards(t, path, len, below)) {
			conn_await(c, CONN_WAIT_TURN);
			return true;
		}
	}
	return false;
}

bool precedence_waits_end(struct conn *c, const struct txn *t)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct txn *first = before(c, i);

		for (const struct tnode *tn = first ? t->made_first : NULL; tn; tn = tn->made_next) {
			if (!guards(first, tn->path, tn->path_len, tn->state != TNODE_WRITTEN))
				continue;
			conn_await(c, CONN_WAIT_TURN);
			return true;
		}
	}
	return false;
}

bool precedence_has(const struct server *srv, const struct txn *t)
{
	return srv->turns.precedence[0].txn == t || srv->turns.precedence[1].txn == t;
}

/* Calls the next one, before anybody who waited can change what it is going to see. */
static void pass_on(struct server *srv, struct precedence *p)
{
	struct conn *c = TAILQ_FIRST(&p->waiting);

	p->txn = NULL;
	p->called = c;
	p->until_ns = 0;
	if (c) {
		leave_queue(p, c);
		set_end(p, c);
		conn_unpark(c);
	}
	conns_resume(srv, CONN_WAIT_TURN);
}

void precedence_over(struct server *srv, const struct txn *t)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (srv->turns.precedence[i].txn == t)
			pass_on(srv, &srv->turns.precedence[i]);
	}
}

void precedence_forget(struct server *srv, struct conn *c)
{
	struct precedence *p = turn_of(c);

	leave_queue(p, c);
	if (p->called == c)
		pass_on(srv, p);
}

long long precedence_tick(struct server *srv)
{
	unsigned long long next = 0, now = 0;

	for (unsigned int i = 0; i < 2; i++) {
		struct precedence *p = &srv->turns.precedence[i];

		if (!p->txn && !p->called)
			continue;
		now = now_ns();
		if (p->until_ns <= now)
			pass_on(srv, p);
		if ((p->txn || p->called) && (!next || p->until_ns < next))
			next = p->until_ns;
	}
	return next > now ? (long long)(next - now) : next ? 1 : 0;
}
