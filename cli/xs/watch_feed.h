/* SPDX-License-Identifier: MIT */
/*
 * watch_feed.h - the exact source of events for one watched path: CONTROL feed of our daemon, with
 * the value before and after, author and generation of every change, in order.
 */
#ifndef STOREVISOR_XS_WATCH_FEED_H
#define STOREVISOR_XS_WATCH_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include <xs_bulk_reader.h>

/* One change at or below the path. */
typedef void watch_change_fn(void *arg, const struct xs_bulk_view *v);
/* No more comes. @rc: 0 the daemon gave up on a slow reader; -EIO the connection was lost;
 * else this daemon has no such thing. May be called from xs_client_run() only. */
typedef void watch_feed_end_fn(void *arg, int rc);

struct watch_feed {
	struct xs_bulk_reader reader;
	bool live;    /* subscribed, or about to be */
	bool waiting; /* changes are kept until the state they are changes of was read */
	uint64_t seq; /* of the last change that state has */
	watch_change_fn *fn;
	watch_feed_end_fn *end;
	void *arg;
};

/* Subscribes @f, whose callbacks are set, to @path; changes wait. 0 or -EOPNOTSUPP, -errno. */
int watch_feed_start(struct watch_feed *f, const char *path);
/* The state with all changes up to @seq was taken: what came after it goes on. */
void watch_feed_go(struct watch_feed *f, uint64_t seq);
void watch_feed_fini(struct watch_feed *f);

#endif
