/* SPDX-License-Identifier: MIT */
/*
 * xs_watch.c - watches of the libxenstore API: registering, the reader thread, the event queue
 * and the descriptor that polls readable while it holds something.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "xs_handle.h"
#include "xs.h"

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

void xs_queue_event(struct xs_handle *h, struct xs_msg *msg)
{
	struct xs_event *e = (struct xs_event *)msg->body;

	e->next = NULL;
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

static void deliver(struct xs_handle *h, struct xs_msg *msg)
{
	pthread_mutex_lock(&h->lock);
	if (msg->hdr.type == XS_WATCH_EVENT) {
		xs_queue_event(h, msg);
	} else if (h->reply_state == XS_REPLY_WAITING && msg->hdr.req_id == h->reply_id) {
		h->reply = *msg;
		h->reply_state = XS_REPLY_HERE;
		pthread_cond_broadcast(&h->changed);
	} else {
		free(msg->body); /* answer to a request that was given up */
	}
	pthread_mutex_unlock(&h->lock);
}

static void *reader(void *arg)
{
	struct xs_handle *h = arg;
	struct xs_msg msg;

	for (;;) {
		if (xs_receive(h, h->fd, &msg) == 0)
			deliver(h, &msg);
		else if (xs_reconnect(h) != 0)
			return NULL;
	}
}

int xs_reader_start(struct xs_handle *h)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int rc;

	if (h->reader_running)
		return 0;
	if (h->stop_fd < 0)
		h->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (h->stop_fd < 0)
		return -errno;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, READER_STACK);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&h->reader, &attr, reader, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc)
		return -rc;
	pthread_mutex_lock(&h->lock);
	h->reader_running = true;
	pthread_mutex_unlock(&h->lock);
	return 0;
}

static bool reader_ensure(struct xs_handle *h)
{
	int rc;

	pthread_mutex_lock(&h->request_lock);
	rc = xs_reader_start(h);
	pthread_mutex_unlock(&h->request_lock);
	errno = -rc;
	return rc == 0;
}

/* ---- registrations ---- */

static struct xs_reg *reg_new(const char *path, const char *token, const char *depth)
{
	size_t plen = strlen(path) + 1, tlen = strlen(token) + 1;
	size_t dlen = depth ? strlen(depth) + 1 : 0;
	struct xs_reg *r = malloc(sizeof(*r) + plen + tlen + dlen);

	if (!r)
		return NULL;
	r->path = memcpy(r->body, path, plen);
	r->token = memcpy(r->body + plen, token, tlen);
	memcpy(r->body + plen + tlen, depth ? depth : "", dlen);
	r->len = plen + tlen + dlen;
	return r;
}

static void reg_forget(struct xs_handle *h, const char *path, const char *token)
{
	for (struct xs_reg **p = &h->regs; *p; p = &(*p)->next) {
		struct xs_reg *r = *p;

		if (strcmp(r->path, path) == 0 && strcmp(r->token, token) == 0) {
			*p = r->next;
			free(r);
			return;
		}
	}
}

/* Which connection this is: the number changes with every reconnect. */
static uint32_t connection_of(struct xs_handle *h)
{
	uint32_t epoch;

	pthread_mutex_lock(&h->lock);
	epoch = h->epoch;
	pthread_mutex_unlock(&h->lock);
	return epoch;
}

static bool watch(struct xs_handle *h, const char *path, const char *token, const char *depth)
{
	struct xs_reg *r = reg_new(path, token, depth);
	struct iovec iov;
	uint32_t epoch = 0;

	if (!r || !reader_ensure(h)) {
		free(r);
		return false;
	}
	iov = (struct iovec){ r->body, r->len };
	if (!xs_ack(xs_talk_epoch(h, 0, XS_WATCH, &iov, 1, NULL, &epoch))) {
		int err = errno;

		free(r);
		errno = err;
		return false;
	}
	pthread_mutex_lock(&h->regs_lock);
	r->next = h->regs;
	h->regs = r;
	pthread_mutex_unlock(&h->regs_lock);
	/* Broken in between, the new connection may not have it: then again; it may be there. */
	if (connection_of(h) == epoch || xs_ack(xs_talk(h, 0, XS_WATCH, &iov, 1, NULL)) ||
	    errno == EEXIST)
		return true;
	pthread_mutex_lock(&h->regs_lock);
	reg_forget(h, path, token);
	pthread_mutex_unlock(&h->regs_lock);
	return false;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	return watch(h, path, token, NULL);
}

static bool has_depth(struct xs_handle *h)
{
	unsigned int features;

	return xs_get_features_supported(h, &features) && (features & XS_FEATURE_WATCHDEPTH);
}

bool xs_watch_depth(struct xs_handle *h, const char *path, const char *token, unsigned int depth)
{
	char text[16];

	if (!has_depth(h)) {
		errno = EOPNOTSUPP;
		return false;
	}
	snprintf(text, sizeof(text), "%u", depth);
	return watch(h, path, token, text);
}

bool xs_watch_try_depth(struct xs_handle *h, const char *path, const char *token,
			unsigned int depth)
{
	return has_depth(h) ? xs_watch_depth(h, path, token, depth) : xs_watch(h, path, token);
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 },
				{ (void *)token, strlen(token) + 1 } };
	uint32_t epoch = 0;

	if (!xs_ack(xs_talk_epoch(h, 0, XS_UNWATCH, iov, 2, NULL, &epoch)))
		return false;
	pthread_mutex_lock(&h->regs_lock);
	reg_forget(h, path, token);
	pthread_mutex_unlock(&h->regs_lock);
	/* Broken in between, the new connection may have it again: its answer says. */
	if (connection_of(h) != epoch)
		xs_ack(xs_talk(h, 0, XS_UNWATCH, iov, 2, NULL));
	if (h->flags & XS_UNWATCH_FILTER) {
		pthread_mutex_lock(&h->lock);
		drop_events(h, path, token);
		pthread_mutex_unlock(&h->lock);
	}
	return true;
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

	if (wait && !h->reader_running && !reader_ensure(h))
		return NULL;
	pthread_mutex_lock(&h->lock);
	while (wait && !h->events && !h->dead)
		pthread_cond_wait(&h->changed, &h->lock);
	if (h->events)
		out = pop_event(h, num);
	else
		errno = h->dead ? EIO : EAGAIN;
	err = errno;
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
