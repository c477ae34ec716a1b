/* SPDX-License-Identifier: MIT */
/*
 * xs_past_reader.h - asks what the persistent part of the store was like: CONTROL log, at, tree,
 * diff (xs_past.h). Only domain 0 may.
 */
#ifndef STOREVISOR_XS_PAST_READER_H
#define STOREVISOR_XS_PAST_READER_H

#include <stddef.h>

#include "xs_past.h"
#include "xs_tree.h"

struct xs_client;

/* One record; pointers are valid during the call only and end with no NUL. */
struct xs_past_view {
	struct xs_past rec;
	const char *path, *value, *perms;
};

/* 0 to go on, else xs_past_ask() returns it. */
typedef int xs_past_fn(void *arg, const struct xs_past_view *v);

/*
 * Asks with @nr (at most 3) words and calls @fn for each record of the answer. Waits. 0, what @fn
 * returned, or: -ENOENT; -E2BIG; -EOPNOTSUPP: this daemon has no such thing; -EPROTO: these are no
 * records; -EIO.
 */
int xs_past_ask(struct xs_client *c, const char *const *words, unsigned int nr, xs_past_fn *fn,
		void *arg);

/*
 * What changed at or below @path before @before ("REV" or "REV.INDEX"; NULL: all), newest first, as
 * many questions as it takes: @fn gets no LIMIT. As xs_past_ask().
 */
int xs_past_log(struct xs_client *c, const char *path, const char *before, xs_past_fn *fn,
		void *arg);

/*
 * The tree at @path as it was at revision @rev, with values and permissions. As xs_past_ask(), and
 * -ESTALE: what was there then is not known any more.
 */
int xs_past_tree(struct xs_client *c, uint64_t rev, const char *path, struct xs_node **out);

#endif
