/* SPDX-License-Identifier: MIT */
/*
 * history.h - what the persistent part was like at an earlier revision, and who changed it. Reads
 * an environment in an open transaction; private to storage/.
 *
 * What a revision replaced is kept by (path, revision): a node at revision R is the first of these
 * behind R, or what is there now when there is none.
 */
#ifndef XENSTORED_HISTORY_H
#define XENSTORED_HISTORY_H

#include <stdbool.h>

#include "disk_env.h"
#include "rev_record.h"
#include "stored_node.h"
#include "xs_path.h"

/* A path now and then. */
struct history_state {
	const char *path;
	uint16_t path_len;
	bool is, was;		/* whether there is such a node; it is valid if so */
	struct stored_node now, then;
};

/* 0 goes on; others stop, and are the answer of the function that called. */
typedef int history_each(void *arg, const struct history_state *s);

/* -ESTALE: what was at @rev is not known any more. 0. */
int history_known(struct disk_env *e, uint64_t rev);

/* The path at revision @rev. 0; -ESTALE; -EBADMSG. */
int history_at(struct disk_env *e, uint64_t rev, const char *path, size_t len,
	       struct history_state *out);

/*
 * The path and all below it that is there now or was at @rev, by key: each before what is below
 * it, long paths aside. 0; -ESTALE; -EBADMSG.
 */
int history_walk(struct disk_env *e, uint64_t rev, const char *path, size_t len,
		 history_each *each, void *arg);

/* One change of the log: who, and what it made of what. */
struct history_change {
	uint64_t rev;
	uint32_t index;		/* in it */
	struct rev_record record;
	struct history_state state;	/* then: before it; now: behind it */
};

typedef int history_each_change(void *arg, const struct history_change *c);

/* A change of the log: all before it is what is asked for. */
struct history_place {
	uint64_t rev;
	uint32_t index;
};

/*
 * The changes of the path and of what is below it before @before (NULL: all), newest first, as far
 * back as is known. 0; -EBADMSG.
 */
int history_log(struct disk_env *e, const struct history_place *before, const struct xs_path *path,
		history_each_change *each, void *arg);

/* Whether value, permissions and type are the same. */
bool history_same(const struct stored_node *a, const struct stored_node *b);

#endif
