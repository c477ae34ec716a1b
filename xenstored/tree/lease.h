/* SPDX-License-Identifier: MIT */
/*
 * lease.h - turns on nodes over which transactions conflict.
 *
 * Optimistic transactions starve each other when all read and write the same node. A node that
 * made one fail becomes hot; while it is, the first transaction to read it gets a turn of a few
 * milliseconds and later ones wait for theirs, in order of arrival. Waiting means that the
 * request is not started yet. A transaction that has a turn never waits for another one, so there
 * is no deadlock; the time limit means that nobody can hold anybody up for long. Turns only save
 * work: validity is decided by txn_commit() alone.
 */
#ifndef XENSTORED_LEASE_H
#define XENSTORED_LEASE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Places for the heat of nodes. */
#define LEASE_HEATS 1024u

struct conn;
struct node;
struct server;
struct txn;

/* All turns there are; a part of struct server (turns.h). */
LIST_HEAD(lease_list, lease);
struct leases {
	unsigned int nr, nr_buckets;
	struct lease_list *bucket;	/* by node; NULL: none yet */
	TAILQ_HEAD(, lease) due;	/* the one that ends first comes first; while there are any */
};

/* A transaction failed because @n (may be NULL: gone) is not as it saw it. */
void lease_heat(struct server *srv, const struct node *n);

/*
 * Before @t reads node @node_id: takes the turn if the node is hot and free. Returns false when
 * the request has to wait; the connection has been queued and will be resumed.
 */
bool lease_take(struct server *srv, uint64_t node_id, struct txn *t);

/* The transaction ends: its turns pass on. */
void lease_release(struct server *srv, struct txn *t);

/* The connection goes: it leaves the queues. */
void lease_forget(struct conn *c);

/* The daemon ends, its connections have: what is left of turns whose waiters never came. */
void leases_fini(struct server *srv);

/* Ends turns that are over time. Call once a loop turn; returns ns until the next end, 0: none. */
long long lease_tick(struct server *srv);

#endif
