/* SPDX-License-Identifier: MIT */
/* loop.c - the event loop on libevent and timerfd. Owns the event base, not the descriptors. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct loop {
	struct event_base *base;
};

struct loop *loop_create(void)
{
	struct event_config *cfg = event_config_new();
	struct loop *l = calloc(1, sizeof(*l));

	if (cfg && l) {
		event_config_require_features(cfg, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME);
		l->base = event_base_new_with_config(cfg);
	}
	if (cfg)
		event_config_free(cfg);
	if (l && l->base)
		return l;
	free(l);
	return NULL;
}

void loop_destroy(struct loop *l)
{
	if (!l)
		return;
	event_base_free(l->base);
	free(l);
}

static void ready(evutil_socket_t fd, short events, void *arg)
{
	struct loop_fd *f = arg;

	f->ready(f->arg, events);
}

int loop_add(struct loop *l, struct loop_fd *f, short events)
{
	f->ev = event_new(l->base, f->fd, (short)(events | EV_PERSIST), ready, f);
	if (f->ev && event_add(f->ev, NULL) == 0)
		return 0;
	loop_remove(f);
	return -ENOMEM;
}

int loop_change(struct loop *l, struct loop_fd *f, short events)
{
	loop_remove(f);
	return loop_add(l, f, events);
}

bool loop_has(const struct loop_fd *f)
{
	return f->ev != NULL;
}

void loop_remove(struct loop_fd *f)
{
	if (f->ev)
		event_free(f->ev);
	f->ev = NULL;
}

int loop_add_timer(struct loop *l, struct loop_fd *f)
{
	f->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return f->fd < 0 ? -errno : loop_add(l, f, LOOP_READ);
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
	event_base_loop(l->base, EVLOOP_ONCE | (block ? 0 : EVLOOP_NONBLOCK));
}
