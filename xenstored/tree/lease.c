/* SPDX-License-Identifier: MIT */
/*
 * lease.c - turns on contended nodes: bounded waiting instead of endless EAGAIN (rule C9).
 * Owns the queues of parked connections. Works on node ids, so that a node may go at any time.
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

struct waiter {
	struct waiter *next;
	struct conn *conn;
	uint64_t since_ns;
};

struct lease {
	struct lease *next;
	uint64_t node_id;
	struct txn *holder;		/* NULL: the next waiter has been woken and is to come */
	uint64_t until_ns;
	struct waiter *first, *last;
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

static struct lease *lease_find(struct server *srv, uint64_t node_id)
{
	struct lease *l = srv->turns.leases;

	while (l && l->node_id != node_id)
		l = l->next;
	return l;
}

static struct lease *lease_create(struct server *srv, uint64_t node_id)
{
	struct lease *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->node_id = node_id;
	l->next = srv->turns.leases;
	srv->turns.leases = l;
	return l;
}

static bool holds_any(struct server *srv, const struct txn *t)
{
	for (struct lease *l = srv->turns.leases; l; l = l->next) {
		if (l->holder == t)
			return true;
	}
	return false;
}

static bool enqueue(struct lease *l, struct conn *c)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return false;
	w->conn = c;
	w->since_ns = now_ns();
	if (l->last)
		l->last->next = w;
	else
		l->first = w;
	l->last = w;
	return true;
}

static void grant(struct lease *l, struct txn *t)
{
	l->holder = t;
	l->until_ns = now_ns() + TURN_NS;
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
			grant(l, t);
		--*heat;
		return true;
	}
	/* Woken for this turn, or nobody has it. */
	if (!l->holder && (t->conn->park_bypass || !l->first)) {
		grant(l, t);
		return true;
	}
	if (t->conn->park_bypass || holds_any(srv, t))
		return true;
	return !enqueue(l, t->conn);
}

/* Ends the current turn; wakes the next one in the queue, or drops the lease. */
static void pass_on(struct server *srv, struct lease **at)
{
	struct lease *l = *at;
	struct waiter *w = l->first;

	l->holder = NULL;
	if (!w) {
		*at = l->next;
		free(l);
		return;
	}
	l->first = w->next;
	if (!l->first)
		l->last = NULL;
	l->until_ns = now_ns() + TURN_NS;
	w->conn->park_bypass = true;
	conn_unpark(w->conn);
	free(w);
}

void lease_release(struct server *srv, struct txn *t)
{
	for (struct lease **at = &srv->turns.leases; *at;) {
		struct lease *l = *at;

		if (l->holder == t)
			pass_on(srv, at);
		if (*at == l)
			at = &l->next;
	}
}

void lease_forget(struct server *srv, struct conn *c)
{
	for (struct lease *l = srv->turns.leases; l; l = l->next) {
		struct waiter **at = &l->first;

		l->last = NULL;
		while (*at) {
			struct waiter *w = *at;

			if (w->conn == c) {
				*at = w->next;
				free(w);
			} else {
				l->last = w;
				at = &w->next;
			}
		}
	}
}

void leases_fini(struct server *srv)
{
	while (srv->turns.leases) {
		struct lease *l = srv->turns.leases;

		srv->turns.leases = l->next;
		while (l->first) {
			struct waiter *w = l->first;

			l->first = w->next;
			free(w);
		}
		free(l);
	}
}

long long lease_tick(struct server *srv)
{
	uint64_t now, next = 0;

	if (!srv->turns.leases)
		return 0;
	now = now_ns();
	for (struct lease **at = &srv->turns.leases; *at;) {
		struct lease *l = *at;

		if (l->until_ns <= now)
			pass_on(srv, at);
		if (*at != l)
			continue;
		if (!next || l->until_ns < next)
			next = l->until_ns;
		at = &l->next;
	}
	return next > now ? (long long)(next - now) : next ? 1 : 0;
}
