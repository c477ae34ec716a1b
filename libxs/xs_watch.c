/* SPDX-License-Identifier: MIT */
/*
 * xs_watch.c - watches of the libxenstore API: registering, the reader thread, the event queue
 * and the descriptor that polls readable while it holds something.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "xs_handle.h"

#define READER_STACK (64 * 1024)

/* ---- the queue; every function here runs with h->lock held ---- */

static void pipe_raise(struct xs_handle *h)
{
	/* one byte is enough, and the pipe holds at most one (see pipe_clear) */
	if (h->event_pipe[1] >= 0)
		while (write(h->event_pipe[1], "", 1) < 0 && errno == EINTR)
			;
}

static void pipe_clear(struct xs_handle *h)
{
	char c;

	if (h->event_pipe[0] >= 0)
		while (read(h->event_pipe[0], &c, 1) < 0 && errno == EINTR)
			;
}

void xs_queue_event(void *arg, const char *body, size_t len)
{
	struct xs_handle *h = arg;
	struct xs_event *e = malloc(sizeof(*e) + len + 1);

	if (!e) {
		/* an event that is lost is a change that nobody looks at */
		h->c->broken = -ENOMEM;
		return;
	}
	e->next = NULL;
	e->len = (uint32_t)len;
	memcpy(e->body, body, len);
	e->body[len] = '\0';
	if (!h->events)
		pipe_raise(h);
	*h->events_tail = e;
	h->events_tail = &e->next;
	pthread_cond_broadcast(&h->changed);
}

static unsigned int strings_in(const char *body, uint32_t len)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < len; i++)
		n += body[i] == '\0';
	return n;
}

/* Takes the oldest event as one malloc'd block: the vector, then the strings it points to. */
static char **pop_event(struct xs_handle *h, unsigned int *num)
{
	struct xs_event *e = h->events;
	unsigned int n = strings_in(e->body, e->len);
	char **out = malloc((n + 1) * sizeof(*out) + e->len + 1);
	char *p;

	if (!out)
		return NULL;
	h->events = e->next;
	if (!h->events) {
		h->events_tail = &h->events;
		pipe_clear(h);
	}
	p = memcpy(out + n + 1, e->body, e->len + 1);
	for (unsigned int i = 0; i < n; i++) {
		out[i] = p;
		p += strlen(p) + 1;
	}
	out[n] = NULL;
	*num = n;
	free(e);
	return out;
}

/* XS_UNWATCH_FILTER: forgets queued events of a watch that is gone. */
static void drop_events(struct xs_handle *h, const char *path, const char *token)
{
	struct xs_event **p = &h->events;
	size_t len = strlen(path);
	bool had = h->events != NULL;

	while (*p) {
		struct xs_event *e = *p;
		size_t plen = strnlen(e->body, e->len);
		const char *tok = plen + 1 <= e->len ? e->body + plen + 1 : "";
		/* relative watches report relative paths; "/" ends in its separator */
		bool below = strncmp(e->body, path, len) == 0 &&
			     (e->body[len] == '/' || e->body[len] == '\0' ||
			      (len && path[len - 1] == '/'));

		if (below && strcmp(tok, token) == 0) {
			*p = e->next;
			free(e);
		} else {
			p = &e->next;
		}
	}
	h->events_tail = p;
	if (had && !h->events)
		pipe_clear(h);
}

/* ---- the reader thread ---- */

static void *reader(void *arg)
{
	struct xs_handle *h = arg;

	pthread_mutex_lock(&h->lock);
	xs_pump_always(h);
	if (h->c->error)
		pipe_raise(h); /* as good as an event: xs_check_watch() says it */
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* Starts the reader thread if there is none. Call with lock held. 0 or -errno. */
static int reader_start(struct xs_handle *h)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int rc;

	if (h->reader_running)
		return 0;
	if (h->wake_fd < 0)
		h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->wake_fd < 0)
		return -errno;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, READER_STACK);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&h->reader, &attr, reader, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	h->reader_running = rc == 0;
	return -rc;
}

/* ---- registrations ---- */

static bool is_done(struct xs_answer *a, int rc)
{
	free(a->data);
	errno = -rc;
	return rc == 0;
}

static bool watch(struct xs_handle *h, const char *path, const char *token, int depth)
{
	struct xs_answer a = { .here = false };
	int rc;

	pthread_mutex_lock(&h->lock);
	rc = reader_start(h);
	if (!rc)
		rc = xs_await(h, &a, xs_client_watch_as(h->c, path, token, depth, xs_answer_take, &a));
	pthread_mutex_unlock(&h->lock);
	return is_done(&a, rc);
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	return watch(h, path, token, -1);
}

static bool has_depth(struct xs_handle *h)
{
	unsigned int features;

	return xs_get_features_supported(h, &features) && (features & XS_FEATURE_WATCHDEPTH);
}

bool xs_watch_depth(struct xs_handle *h, const char *path, const char *token, unsigned int depth)
{
	if (!has_depth(h)) {
		errno = EOPNOTSUPP;
		return false;
	}
	return watch(h, path, token, depth > INT_MAX ? INT_MAX : (int)depth);
}

bool xs_watch_try_depth(struct xs_handle *h, const char *path, const char *token,
			unsigned int depth)
{
	return has_depth(h) ? xs_watch_depth(h, path, token, depth) : xs_watch(h, path, token);
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	struct xs_answer a = { .here = false };
	int rc;

	pthread_mutex_lock(&h->lock);
	rc = xs_await(h, &a, xs_client_unwatch_as(h->c, path, token, xs_answer_take, &a));
	if (!rc && h->flags & XS_UNWATCH_FILTER)
		drop_events(h, path, token);
	pthread_mutex_unlock(&h->lock);
	return is_done(&a, rc);
}

/* ---- delivery ---- */

int xs_fileno(struct xs_handle *h)
{
	int fd;

	pthread_mutex_lock(&h->lock);
	if (h->event_pipe[0] < 0 && pipe2(h->event_pipe, O_CLOEXEC | O_NONBLOCK) == 0) {
		if (h->events)
			pipe_raise(h);
	}
	fd = h->event_pipe[0];
	pthread_mutex_unlock(&h->lock);
	return fd;
}

static char **next_event(struct xs_handle *h, unsigned int *num, bool wait)
{
	char **out = NULL;
	int err;

	pthread_mutex_lock(&h->lock);
	err = wait ? -reader_start(h) : 0;
	while (wait && !err && !h->events && !h->c->error)
		pthread_cond_wait(&h->changed, &h->lock);
	if (!err && h->events) {
		out = pop_event(h, num);
		err = out ? 0 : ENOMEM;
	} else if (!err) {
		err = h->c->error ? EIO : EAGAIN;
	}
	pthread_mutex_unlock(&h->lock);
	errno = err;
	return out;
}

char **xs_check_watch(struct xs_handle *h)
{
	unsigned int num;

	return next_event(h, &num, false);
}

char **xs_read_watch(struct xs_handle *h, unsigned int *num)
{
	return next_event(h, num, true);
}
