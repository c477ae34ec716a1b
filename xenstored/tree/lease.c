/* SPDX-License-Identifier: MIT */
/*
 * lease.c - turns on contended nodes: bounded waiting instead of endless EAGAIN (rule C9).
 * Owns the queues of parked connections. Works on node ids, so that a node may go at any time.
 * Each turn is found by its node, by who has it, and by its end; a connection is in one queue at
 * most.
 */
#include "lease.h"

#include <stdlib.h>

#include "conn.h"
#include "server.h"
#include "txn.h"

/* How long one turn may last before the next waiter goes on, and how long anybody waits. */
#define TURN_NS		5000000ull
/* What a conflict adds to a node's heat, and its limit; every free turn takes one off. */
#define HEAT_PER_LOSS	64u
#define HEAT_MAX	4096u
/* Where turns begin to be found by node; a power of two. */
#define FIRST_BUCKETS	64u

struct lease {
	LIST_ENTRY(lease) of_node;	/* of its bucket */
	LIST_ENTRY(lease) of_holder;	/* while there is one */
	TAILQ_ENTRY(lease) due;
	uint64_t node_id;
	struct txn *holder;		/* NULL: the next waiter has been woken and is to come */
	uint64_t until_ns;
	TAILQ_HEAD(, conn) waiting;
};

/* Heat of the nodes whose ids fall on the same place: turns only save work, so that is no harm. */
static uint16_t *heat_of(struct server *srv, uint64_t node_id)
{
	return &srv->turns.heat[node_id % LEASE_HEATS];
}

void lease_heat(struct server *srv, const struct node *n)
{
	uint16_t *heat = n ? heat_of(srv, n->id) : NULL;

	if (!n)
		return;
	*heat = *heat + HEAT_PER_LOSS > HEAT_MAX ? HEAT_MAX : (uint16_t)(*heat + HEAT_PER_LOSS);
	srv->turns.contended = true;
}

/* --- by node --- */

/* Multiplied, or nodes could be made that fall on few places. */
static struct lease_list *bucket_of(const struct leases *t, uint64_t node_id)
{
	return &t->bucket[(node_id * 0x9e3779b97f4a7c15ull >> 32) & (t->nr_buckets - 1)];
}

/* Doubles the table. A failure only makes the chains longer. */
static void grow(struct leases *t)
{
	unsigned int before = t->nr_buckets, nr = before ? 2 * before : FIRST_BUCKETS;
	struct lease_list *bucket = calloc(nr, sizeof(*bucket)), *old = t->bucket;

	if (!bucket)
		return;
	t->bucket = bucket;
	t->nr_buckets = nr;
	for (unsigned int i = 0; i < before; i++) {
		while (!LIST_EMPTY(&old[i])) {
			struct lease *l = LIST_FIRST(&old[i]);

			LIST_REMOVE(l, of_node);
			LIST_INSERT_HEAD(bucket_of(t, l->node_id), l, of_node);
		}
	}
	free(old);
}

static struct lease *lease_find(struct server *srv, uint64_t node_id)
{
	struct leases *t = &srv->turns.leases;
	struct lease *l = t->nr ? LIST_FIRST(bucket_of(t, node_id)) : NULL;

	while (l && l->node_id != node_id)
		l = LIST_NEXT(l, of_node);
	return l;
}

static struct lease *lease_create(struct server *srv, uint64_t node_id)
{
	struct leases *t = &srv->turns.leases;
	struct lease *l = calloc(1, sizeof(*l));

	if (t->nr >= t->nr_buckets)
		grow(t);
	if (!l || !t->bucket) {
		free(l);
		return NULL;
	}
	l->node_id = node_id;
	TAILQ_INIT(&l->waiting);
	LIST_INSERT_HEAD(bucket_of(t, node_id), l, of_node);
	if (t->nr++ == 0)
		TAILQ_INIT(&t->due);
	TAILQ_INSERT_TAIL(&t->due, l, due);
	return l;
}

/* Of one that nobody has. */
static void lease_free(struct leases *t, struct lease *l)
{
	LIST_REMOVE(l, of_node);
	TAILQ_REMOVE(&t->due, l, due);
	t->nr--;
	free(l);
}

/* --- by its end --- */

/* All turns are as long: the one that begins last ends last. */
static void begin_turn(struct server *srv, struct lease *l)
{
	l->until_ns = now_ns() + TURN_NS;
	TAILQ_REMOVE(&srv->turns.leases.due, l, due);
	TAILQ_INSERT_TAIL(&srv->turns.leases.due, l, due);
}

/* --- turns --- */

static void grant(struct server *srv, struct lease *l, struct txn *t)
{
	l->holder = t;
	LIST_INSERT_HEAD(&t->leases, l, of_holder);
	begin_turn(srv, l);
}

static void leave_queue(struct conn *c)
{
	if (c->lease)
		TAILQ_REMOVE(&c->lease->waiting, c, lease_next);
	c->lease = NULL;
}

static void enqueue(struct lease *l, struct conn *c)
{
	leave_queue(c);
	c->lease = l;
	TAILQ_INSERT_TAIL(&l->waiting, c, lease_next);
}

bool lease_take(struct server *srv, uint64_t node_id, struct txn *t)
{
	struct lease *l = lease_find(srv, node_id);
	uint16_t *heat = heat_of(srv, node_id);

	if (*heat == 0)
		return true;
	if ((l && l->holder == t) || precedence_has(srv, t))
		return true;
	if (!l) {
		l = lease_create(srv, node_id);
		if (l)
			grant(srv, l, t);
		--*heat;
		return true;
	}
	/* Woken for this turn, or nobody has it. */
	if (!l->holder && (t->conn->park_bypass || TAILQ_EMPTY(&l->waiting))) {
		grant(srv, l, t);
		return true;
	}
	if (t->conn->park_bypass || !LIST_EMPTY(&t->leases))
		return true;
	enqueue(l, t->conn);
	return false;
}

/* Ends the current turn; wakes the next one in the queue, or drops the lease. */
static void pass_on(struct server *srv, struct lease *l)
{
	struct conn *c = TAILQ_FIRST(&l->waiting);

	if (l->holder)
		LIST_REMOVE(l, of_holder);
	l->holder = NULL;
	if (!c) {
		lease_free(&srv->turns.leases, l);
		return;
	}
	leave_queue(c);
	begin_turn(srv, l);
	c->park_bypass = true;
	conn_unpark(c);
}

void lease_release(struct server *srv, struct txn *t)
{
	while (!LIST_EMPTY(&t->leases))
		pass_on(srv, LIST_FIRST(&t->leases));
}

void lease_forget(struct conn *c)
{
	leave_queue(c);
}

void leases_fini(struct server *srv)
{
	struct leases *t = &srv->turns.leases;

	/* Those that are waited for have nobody by now: connections go before. */
	while (t->nr)
		lease_free(t, TAILQ_FIRST(&t->due));
	free(t->bucket);
	*t = (struct leases){ 0 };
}

long long lease_tick(struct server *srv)
{
	struct leases *t = &srv->turns.leases;
	uint64_t now;

	if (!t->nr)
		return 0;
	now = now_ns();
	while (t->nr && TAILQ_FIRST(&t->due)->until_ns <= now)
		pass_on(srv, TAILQ_FIRST(&t->due));
	return t->nr ? (long long)(TAILQ_FIRST(&t->due)->until_ns - now) : 0;
}
