/* SPDX-License-Identifier: MIT */
/*
 * worker.h - work that takes seconds, in a thread beside the event loop.
 *
 * A struct worker is the first member of what the work needs; the thread touches nothing else of
 * xend's.
 */
#ifndef XEND_WORKER_H
#define XEND_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#define WORKER_WHY 512

enum worker_owner { WORKER_IDLE, WORKER_WORKING, WORKER_FINISHED, WORKER_RELEASED };

struct worker {
	_Atomic enum worker_owner owner;
	atomic_bool stop;		/* nobody waits for it any more: @run may give up */
	int wake_fd;
	int (*run)(struct worker *w);	/* 0 or -errno, then with .why in the user's words */
	void (*destroy)(struct worker *w);	/* frees everything, @w too */
	int err;			/* this and below: the thread's until it has finished */
	char why[WORKER_WHY];
};

/*
 * Begins @w->run. With @wake_fd >= 0 (an eventfd) a thread does it and writes there when it has
 * finished; with -1 it is done on return. 0 or -EAGAIN: no thread; @w is destroyed then.
 */
int worker_start(struct worker *w, int wake_fd);

/* What @run returned, or -EINPROGRESS. */
int worker_result(struct worker *w);

/* Nobody wants its result: 0 when it does nothing (any more), -EINPROGRESS until then. */
int worker_stop(struct worker *w);

/* Done with it, begun or not, finished or not: a thread still at work cleans up by itself. NULL is
 * fine. */
void worker_release(struct worker *w);

/* Sets @w->why. Returns @err. For @run. */
int worker_fail(struct worker *w, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
