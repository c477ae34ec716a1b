/* SPDX-License-Identifier: MIT */
/*
 * loop.h - the event loop: descriptors and timers on one epoll, as few system calls as there are.
 *
 * Why not libevent here: its timeouts make each wait arm a kernel timer, and it cannot leave out
 * the second look at a socket that level-triggered epoll takes; together 8 % of a request. Timers
 * and signals are descriptors like all others. No lock: one thread.
 */
#ifndef XENSTORED_LOOP_H
#define XENSTORED_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* One descriptor that is waited for. The owner sets the first three, and keeps it in place. */
struct loop_fd {
	int fd;
	/* @events: EPOLL*. May remove any descriptor, its own too. */
	void (*ready)(void *arg, uint32_t events);
	void *arg;
	bool listed;	/* loop.c's */
};

/* NULL: no memory or no descriptor left. */
struct loop *loop_create(void);
void loop_destroy(struct loop *l);

/* Waits for @events (EPOLL*, level-triggered unless EPOLLET) from now on. 0 or -Exxx. */
int loop_add(struct loop *l, struct loop_fd *f, uint32_t events);
/* Waits for @events instead; what is ready already is reported again. */
void loop_change(struct loop *l, struct loop_fd *f, uint32_t events);
/* Stops waiting; @f->ready is not called any more. @f->fd is still open. May be called twice. */
void loop_remove(struct loop *l, struct loop_fd *f);

/* Opens a timer in @f->fd, stopped, and waits for it. 0 or -Exxx. */
int loop_add_timer(struct loop *l, struct loop_fd *f);
/* Calls @f->ready in @ns nanoseconds, and then every @every_ns (0: once). */
void loop_timer_set(struct loop_fd *f, uint64_t ns, uint64_t every_ns);
/* To be called by @f->ready: the timer has been seen. */
void loop_timer_seen(struct loop_fd *f);

/* Waits until something is ready (@block), or only looks, and calls whom it concerns. */
void loop_turn(struct loop *l, bool block);

#endif
