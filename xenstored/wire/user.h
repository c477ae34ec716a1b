/* SPDX-License-Identifier: MIT */
/*
 * user.h - what the connections of one user of the host hold together, and how much that may be.
 *
 * Nodes are their owner's, and an owner may be many people (people.h); what a connection holds
 * while it lasts is its user's alone, so that nobody takes from others who have no number of
 * their own either. Who may do everything without being root is bounded too, generously. Root and
 * the daemon's own user are not: they can end the daemon. Rings are their domain's (domain.h).
 */
#ifndef XENSTORED_USER_H
#define XENSTORED_USER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "quota.h"

struct conn;
struct server;

/* Of a user who may do everything; of another one PEOPLE_CONNS, and quotas as a domain has. */
#define USER_FULL_CONNS	       256
#define USER_FULL_WATCHES      16384
#define USER_FULL_TRANSACTIONS 256
#define USER_FULL_MEMORY       (64u << 20)
/* Subscriptions to all changes, and to all operations. */
#define USER_STREAMS	       16
/* Bytes of answers that are not read yet: with more no other long one begins. */
#define USER_WAITING	       (64u << 20)

struct user {
	struct user *next;
	uid_t uid;
	unsigned int nr_conns;
	unsigned int nr_streams;
	uint64_t used[QUOTA_NR];	/* QUOTA_WATCHES, QUOTA_TRANSACTIONS, QUOTA_MEMORY */
	uint64_t warned_ns;		/* when a refusal was last logged */
};

/*
 * Counts @c, whose peer and rights are known, as one of its user's. 0, also for root, who is
 * nobody's; -EUSERS: that user has as many as it may; -ENOMEM.
 */
int user_join(struct conn *c);
/* @c is freed, and holds nothing any more. */
void user_leave(struct conn *c);

/* Adds @delta to what @c's user, or domain, uses. The caller has asked conn_may(). */
void conn_use(struct conn *c, enum quota_kind kind, int64_t delta);
/* Whether @c may hold @more: 0, or as domain_may(). */
int conn_may(struct conn *c, enum quota_kind kind, uint64_t more);

/* One stream more for @c: 0 or -ENOSPC; and one less. */
int user_stream_begin(struct conn *c);
void user_stream_end(struct conn *c);
/* Whether @c's user leaves so much unread that no long answer may begin: 0 or -EBUSY. */
int user_may_wait(const struct conn *c);

#endif
