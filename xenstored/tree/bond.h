/* SPDX-License-Identifier: MIT */
/*
 * bond.h - nodes that go with a client or with time (CONTROL bind): "when this session, or this
 * time, is over, remove PATH if it still has VALUE". Of the node itself nothing is different: a
 * bond may be made before it is there, and who writes another value has taken it over, for ever:
 * what was once said to be held is that generation of the node.
 *
 * A bond is a record of the live environment, so a daemon that dies forgets none; then each has its
 * whole time again, and a session BOND_GRACE_MS to be taken up. What is kept over a boot cannot be
 * bound: bonds are not. Decision: docs/decisions/0033-bonds.md.
 */
#ifndef XENSTORED_BOND_H
#define XENSTORED_BOND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bond_due.h"
#include "loop.h"
#include "xs_path.h"

struct buf;
struct conn;
struct server;

#define BOND_GRACE_MS	20000u		/* twice what our client tries to come back */
#define BOND_TTL_MIN_MS	100u
#define BOND_TTL_MAX_MS (24u * 3600u * 1000u)
#define BOND_VALUE_MAX	1024u		/* bytes */
#define BONDS_MAX	4096u
/* Of them so many are root's, however many others want (user.h). */
#define BONDS_ROOT	1024u

struct bond;

#define BOND_BUCKETS	1024u

struct bonds {
	struct bond *first;	/* all */
	/* Of a session, by its number, which rises by one */
	struct bond *of_session[BOND_BUCKETS];
	unsigned int nr;
	struct due_heap due;
	uint64_t next_id;	/* of a record; never used twice in a boot */
	struct loop_fd timer;	/* the next one that is due */
};

/*
 * Binds @path with @value to the session of @c (@ttl_ms 0) or for @ttl_ms, counted from now; one
 * that is there begins anew. Returns 1 when the node has that value now, which ends the bonds that
 * @path had with other ones before, 0 when not; -EINVAL: no session, a time or a value beyond the
 * limits, or a path that is kept over a boot; -ENOSPC: too many, or no room; -ENOMEM.
 */
int bond_make(struct server *srv, struct conn *c, const struct xs_path *path, const char *value,
	      uint64_t ttl_ms);
/*
 * Takes it back; the node stays. 0; -ENOENT; -EBUSY: the node has the value, and @unless_held;
 * -ENOSPC: no room even for that.
 */
int bond_take_back(struct server *srv, const struct xs_path *path, const char *value,
		   bool unless_held);
/* A line each, to @out: what is left in ms, or "connection"; path; value. 0, -ENOMEM. */
int bonds_report(struct server *srv, struct buf *out);

/* What becomes of the session with that id: it is over; it has lost, has again, a connection. */
void bonds_session_over(struct server *srv, uint64_t id);
void bonds_session_lost(struct server *srv, uint64_t id);
void bonds_session_back(struct server *srv, uint64_t id);
/* Whether it has any. */
bool bonds_session_has(const struct server *srv, uint64_t id);
/* Removes what they hold whose time is over now, and ends them; the timer does. */
void bonds_end_due(struct server *srv);

/* The loop is there. 0, -ENOMEM. */
int bonds_init(struct server *srv);
/* Puts back what an earlier daemon wrote down. 0, -EBADMSG, -ENOMEM. */
int bond_restore(struct server *srv, uint64_t id, const void *record, size_t len);
void bonds_fini(struct server *srv);

#endif
