/* SPDX-License-Identifier: MIT */
/*
 * main.c - xend's process: arguments, handles, event loop.
 *
 * Everything else is in xend.c and below, which knows neither libevent nor the clock.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"
#include "xend.h"

struct loop {
	struct xend x;
	struct event_base *base;
	struct event *store, *timer, *wake, *term, *intr;
	int rc;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void stop(struct loop *l, int rc)
{
	l->rc = rc;
	event_base_loopbreak(l->base);
}

/* Takes every event that is there. False: the store is gone, which ends the process: init starts it
 * anew and it recovers from the store. */
static bool drain(struct loop *l)
{
	char **ev;

	errno = 0;
	while ((ev = xs_check_watch(l->x.xs))) {
		log_debug("event %s %s", ev[XS_WATCH_PATH], ev[XS_WATCH_TOKEN]);
		xend_event(&l->x, ev[XS_WATCH_PATH], ev[XS_WATCH_TOKEN]);
		free(ev);
		errno = 0;
	}
	if (!errno || errno == EAGAIN || errno == EINTR)
		return true;
	log_error("the store is gone");
	stop(l, 1);
	return false;
}

static void run(struct loop *l)
{
	uint64_t now, again;
	struct timeval tv;

	/* Without a store nothing can be decided. */
	if (!drain(l))
		return;
	now = now_ns();
	again = xend_run(&l->x, now);
	again = again > now ? again - now : 0;
	tv.tv_sec = (time_t)(again / NS_PER_S);
	tv.tv_usec = (suseconds_t)(again % NS_PER_S / 1000);
	event_add(l->timer, &tv);
}

static void on_store(evutil_socket_t fd, short what, void *arg)
{
	run(arg);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == sizeof(n))
		run(arg);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	log_info("signal %d: leaving; domains go on", (int)sig);
	stop(arg, 0);
}

static int open_store(struct xs_handle **xs)
{
	/* init starts us beside the store: wait for it, but not for ever. */
	for (int i = 0; i < 100; i++) {
		*xs = xs_open(0);
		if (*xs)
			return 0;
		usleep(100000);
	}
	return errno ? -errno : -ECONNREFUSED;
}

static int loop_init(struct loop *l)
{
	l->base = event_base_new();
	if (!l->base)
		return -ENOMEM;
	l->store = event_new(l->base, xs_fileno(l->x.xs), EV_READ | EV_PERSIST, on_store, l);
	l->timer = evtimer_new(l->base, on_store, l);
	l->wake = event_new(l->base, l->x.wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	l->term = evsignal_new(l->base, SIGTERM, on_signal, l);
	l->intr = evsignal_new(l->base, SIGINT, on_signal, l);
	if (!l->store || !l->timer || !l->wake || !l->term || !l->intr)
		return -ENOMEM;
	event_add(l->store, NULL);
	event_add(l->wake, NULL);
	event_add(l->term, NULL);
	event_add(l->intr, NULL);
	return 0;
}

static void loop_fini(struct loop *l)
{
	struct event *events[] = { l->store, l->timer, l->wake, l->term, l->intr };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i])
			event_free(events[i]);
	}
	if (l->base)
		event_base_free(l->base);
}

static void usage(FILE *f)
{
	fprintf(f, "usage: xend [-N] [-v]\n"
		   "Makes the records in /config/domain run. Stays in the foreground (-N is taken\n"
		   "for xenstored's sake), logs to standard error; -v logs every event.\n");
}

int main(int argc, char **argv)
{
	enum log_level level = LOG_LVL_INFO;
	struct xs_handle *xs = NULL;
	struct hv *hv = NULL;
	struct loop l = { 0 };
	int err, c, wake_fd;

	while ((c = getopt(argc, argv, "Nvh")) != -1) {
		if (c == 'v') {
			level = LOG_LVL_DEBUG;
		} else if (c != 'N') {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	log_init("xend", level, 1);
	signal(SIGPIPE, SIG_IGN);
	/* Kernels and ramdisks come and go: their memory shall go back to dom0 each time. */
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	err = hv_open(&hv);
	if (err) {
		log_errorx("no hypervisor: %s: is this dom0, with xen-privcmd loaded?",
			   strerror(-err));
		return 1;
	}
	err = open_store(&xs);
	if (err) {
		log_errorx("no store: %s: is xenstored running?", strerror(-err));
		hv_close(hv);
		return 1;
	}
	wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = wake_fd < 0 ? -errno : xend_start(&l.x, xs, hv, wake_fd, now_ns());
	if (!err)
		err = loop_init(&l);
	if (err) {
		log_errorx("cannot start: %s", strerror(-err));
		l.rc = 1;
	} else {
		log_info("ready");
		notify_service("READY=1");
		run(&l);
		event_base_dispatch(l.base);
	}
	loop_fini(&l);
	xend_stop(&l.x);
	xs_close(xs);
	hv_close(hv);
	return l.rc;
}
