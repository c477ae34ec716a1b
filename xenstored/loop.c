/* SPDX-License-Identifier: MIT */
/* loop.c - the event loop on epoll and timerfd. Owns the epoll descriptor, not the others. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BATCH 256

struct loop {
	int fd;
	int nr, at;	/* of @ready: how many, and which one is being dealt with */
	struct epoll_event ready[BATCH];
};

struct loop *loop_create(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->fd >= 0)
		return l;
	free(l);
	return NULL;
}

void loop_destroy(struct loop *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}

int loop_add(struct loop *l, struct loop_fd *f, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = f };

	if (epoll_ctl(l->fd, EPOLL_CTL_ADD, f->fd, &e) < 0)
		return -errno;
	f->listed = true;
	return 0;
}

void loop_change(struct loop *l, struct loop_fd *f, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = f };

	epoll_ctl(l->fd, EPOLL_CTL_MOD, f->fd, &e);
}

void loop_remove(struct loop *l, struct loop_fd *f)
{
	if (!f->listed)
		return;
	f->listed = false;
	epoll_ctl(l->fd, EPOLL_CTL_DEL, f->fd, NULL);
	/* It may be among those that have been reported and not yet dealt with. */
	for (int i = l->at; i < l->nr; i++) {
		if (l->ready[i].data.ptr == f)
			l->ready[i].data.ptr = NULL;
	}
}

int loop_add_timer(struct loop *l, struct loop_fd *f)
{
	f->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return f->fd < 0 ? -errno : loop_add(l, f, EPOLLIN);
}

void loop_timer_set(struct loop_fd *f, uint64_t ns, uint64_t every_ns)
{
	struct itimerspec t = {
		.it_value = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) },
		.it_interval = { (time_t)(every_ns / 1000000000u), (long)(every_ns % 1000000000u) },
	};

	timerfd_settime(f->fd, 0, &t, NULL);
}

void loop_timer_seen(struct loop_fd *f)
{
	uint64_t times;

	/* Nothing to read: somebody has set it anew meanwhile, which is as good. */
	if (read(f->fd, &times, sizeof(times)) < 0)
		return;
}

void loop_turn(struct loop *l, bool block)
{
	l->nr = epoll_wait(l->fd, l->ready, BATCH, block ? -1 : 0);
	for (l->at = 0; l->at < l->nr; l->at++) {
		struct epoll_event *e = &l->ready[l->at];
		struct loop_fd *f = e->data.ptr;

		if (f)
			f->ready(f->arg, e->events);
	}
	l->nr = 0;
}
