/* SPDX-License-Identifier: MIT */
/*
 * session.h - what became of a client's changes, for the client to ask after it lost its
 * connection.
 *
 * A client of ours numbers its requests by the header's req_id, rising, and names its session by a
 * secret (CONTROL session TOKEN). The session has the number of the last request that changed
 * something, written down in the same commit as the change, and those that failed. Requests of one
 * client are carried out in order, and a session belongs to one connection: who takes it up on
 * another ends the first. So its answer is final: what is numbered behind the last one has not
 * been done and will not be.
 */
#ifndef XENSTORED_SESSION_H
#define XENSTORED_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct conn;
struct req;
struct server;

#define SESSION_TOKEN_LEN	16	/* bytes; on the wire 32 hexadecimal digits */
/* Of requests that failed so many are remembered; of older ones all that is known is that. */
#define SESSION_FAILED		32
/*
 * Sessions without a connection that are kept, the last ones; beside those that have bonds
 * (bond.h). As many again of clients that are not root's: who loses connections in a row ends none
 * of its.
 */
#define SESSION_ORPHANS		1024
/* The longest record of one. */
#define SESSION_RECORD_MAX	(16 + 4 + 4 + 2 + SESSION_FAILED * 5)

struct session_failure {
	uint32_t req_id;
	uint8_t err;
};

struct session {
	struct session *next, *prev;	/* in the list that it is in */
	struct session_list *list;
	struct session *bucket_next;
	uint64_t id;			/* of its record; never used twice in a boot */
	unsigned char token[SESSION_TOKEN_LEN];
	uint32_t last;			/* req_id of the last request that changed something */
	uint32_t floor;			/* up to this one failures are forgotten */
	uint64_t hold_seq;		/* revision of its last persistent change */
	unsigned int nr_failed;
	struct session_failure failed[SESSION_FAILED];	/* oldest first */
	struct conn *conn;		/* whose it is; NULL: an orphan */
	bool of_user;			/* that one was a user's (user.h), the last time */
};

#define SESSION_BUCKETS 1024

struct session_list {
	struct session *first, *last;
	unsigned int nr;
};

struct sessions {
	struct session *bucket[SESSION_BUCKETS];	/* by token, which is random */
	/* Each is in one of these; the orphans longest first. */
	struct session_list connected, orphans;
	struct session_list user_orphans;
	struct session_list bonded;	/* orphans that had bonds when they were last looked at */
	uint64_t next_id;
};

/*
 * Takes up the session @token (the client's text) for @c, or makes it. Appends to @out "new", or
 * "LAST FLOOR [ID:ERROR]...". Returns 0; -EINVAL for what is no token, or when @c has one already;
 * -ENOSPC, -ENOMEM.
 */
int session_take(struct server *srv, struct conn *c, const char *token, struct buf *out);

/*
 * The request @r of a client with a session is over, with errno @err, and its changes are in the
 * revision about to be complete: notes that it is done, or failed.
 */
void session_note(const struct req *r, int err);
/* Revision @seq with what was just noted has a persistent part. */
void session_hold(struct conn *c, uint64_t seq);

/* The connection is freed. @over: its client hung up, so nobody comes back to ask. */
void session_leave(struct server *srv, struct conn *c, bool over);

/* The disk refused changes of revisions from @seq on: what became of them is not known. */
void sessions_refused(struct server *srv, uint64_t seq);

/* At a start: what they tell of may be waiting for the disk, up to revision @seq. */
void sessions_wait(struct server *srv, uint64_t seq);

/* Puts back what an earlier daemon wrote down. 0, -EBADMSG, -ENOMEM. */
int session_restore(struct server *srv, uint64_t id, const void *record, size_t len);
void sessions_fini(struct server *srv);

#endif
