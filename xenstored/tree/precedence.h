/* SPDX-License-Identifier: MIT */
/*
 * precedence.h - a transaction whose client has lost often enough wins.
 *
 * Leases (lease.h) save work where transactions meet on nodes that exist; they promise nothing.
 * This does: after PRECEDENCE_LOSSES transactions that ended in EAGAIN, a client's next one goes
 * before all others. What it has seen is not changed by anybody else until it ends; their requests
 * wait. One at a time, in order of arrival, and each for a limited time only. Guests have a turn
 * of their own, which holds up guests only: nobody waits for somebody of less privilege.
 */
#ifndef XENSTORED_PRECEDENCE_H
#define XENSTORED_PRECEDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct conn;
struct server;
struct txn;

/* Transactions in a row that a client may lose before it goes first. */
#define PRECEDENCE_LOSSES 8u

/* Who goes first: one of domain 0's clients, and one of the others. */
struct precedence {
	struct txn *txn;		/* NULL: nobody */
	struct conn *called;		/* whose START is to come next, or NULL */
	TAILQ_HEAD(, conn) waiting;	/* whose START waits */
	unsigned long long until_ns;	/* @txn or @called goes first no longer than this */
};

/* At the start of the daemon. */
void precedence_init(struct precedence *p);

/* Before START: false when it has to wait for its turn (the connection is resumed then). */
bool precedence_may_start(struct conn *c);
/* The transaction that was started. */
void precedence_started(struct conn *c, struct txn *t);

/*
 * Whether a change by @c of the node at @path (@below: and of all below it) has to wait, because
 * a transaction that goes first has seen it. The connection is resumed when that has ended.
 */
bool precedence_waits(struct conn *c, const char *path, size_t len, bool below);
/* The same for the end of a transaction. */
bool precedence_waits_end(struct conn *c, const struct txn *t);

/* Whether @t goes first now. */
bool precedence_has(const struct server *srv, const struct txn *t);

/* The transaction ends. */
void precedence_over(struct server *srv, const struct txn *t);
/* The connection goes (its transactions have ended). */
void precedence_forget(struct server *srv, struct conn *c);

/* Ends what is over time. Returns ns until the next end, 0: none. */
long long precedence_tick(struct server *srv);

#endif
