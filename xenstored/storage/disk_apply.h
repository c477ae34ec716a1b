/* SPDX-License-Identifier: MIT */
/*
 * disk_apply.h - one change of a revision, made in an environment: the node, what it replaced, who
 * did it; and old history given up. Knows nothing of files. Private to storage/.
 */
#ifndef XENSTORED_DISK_APPLY_H
#define XENSTORED_DISK_APPLY_H

#include "disk_env.h"

struct change;

/* A past record with this in its flags says that there was no such node; the rest is void. */
#define PAST_ABSENT 1u

/* Longest key of DISK_PAST: a path's key, a revision (big-endian). */
#define PAST_KEY_MAX 511

/* Where the changes of the revision under way are. Zero at the start of a transaction. */
struct applying {
	uint64_t rev;
	uint32_t next;		/* index in DISK_REV */
	bool no_history;	/* there is no room for what is replaced */
	bool passing;		/* the revision has been applied before */
};

/* As disk_change(): in the open write transaction of @e. */
int disk_apply(struct disk_env *e, struct applying *a, uint64_t rev, uint32_t index,
	       const struct change *c);

/*
 * Gives up history, oldest revision first, until at most @bytes of it are left and none is from
 * before @time_ns; at most @most records in this transaction. 0 or as disk_env_del().
 */
int disk_prune(struct disk_env *e, uint64_t bytes, uint64_t time_ns, unsigned int most);

#endif
