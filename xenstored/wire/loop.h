/* SPDX-License-Identifier: MIT */
/*
 * loop.h - the event loop: descriptors on libevent, each wait one system call.
 *
 * Two habits keep it so. Sockets are edge-triggered: level-triggered epoll looks at each served
 * one a second time. Timers and signals are descriptors too: a libevent timeout arms a kernel
 * timer with every wait. Together they were 8 % of a request. No lock: one thread.
 */
#ifndef XENSTORED_LOOP_H
#define XENSTORED_LOOP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

/* What to wait for, or what has come. */
#define LOOP_READ EV_READ
#define LOOP_WRITE EV_WRITE
#define LOOP_HANGUP EV_CLOSED	/* the peer has closed its side */
#define LOOP_EDGE EV_ET		/* wait: report each change once, not each state */

/* One descriptor that is waited for. The owner sets the first three, and keeps it in place. */
struct loop_fd {
	int fd;
	/* @events: LOOP_*. May remove any descriptor, its own too. */
	void (*ready)(void *arg, short events);
	void *arg;
	struct event *ev;	/* loop.c's */
};

/* NULL: no memory or no descriptor left. */
struct loop *loop_create(void);
void loop_destroy(struct loop *l);

/* Waits for @events (LOOP_*) from now on. 0 or -ENOMEM (no memory, or epoll has none). */
int loop_add(struct loop *l, struct loop_fd *f, short events);
/* Waits for @events instead; what is ready already is reported again. 0 or -ENOMEM. */
int loop_change(struct loop *l, struct loop_fd *f, short events);
/* Whether @f is being waited for. */
bool loop_has(const struct loop_fd *f);
/* Stops waiting; @f->ready is not called any more. @f->fd is still open. May be called twice. */
void loop_remove(struct loop_fd *f);

/* Opens a timer in @f->fd, stopped, and waits for it. 0 or -Exxx. */
int loop_add_timer(struct loop *l, struct loop_fd *f);
/* Calls @f->ready in @ns nanoseconds, and then every @every_ns (0: once). */
void loop_timer_set(struct loop_fd *f, uint64_t ns, uint64_t every_ns);
/* To be called by @f->ready: the timer has been seen. */
void loop_timer_seen(struct loop_fd *f);

/* Waits until something is ready (@block), or only looks, and calls whom it concerns. */
void loop_turn(struct loop *l, bool block);

#endif
