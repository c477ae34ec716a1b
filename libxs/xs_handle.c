/* SPDX-License-Identifier: MIT */
/*
 * xs_handle.c - libxenstore's handle: opening, closing, and asking by any number of threads. The
 * connection, and making it again, is the client's (xs_client_link.c); watch delivery xs_watch.c.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "xs_handle.h"

/* libxentoolcore keeps a list of what to cut off when a process gives up its rights. Weak: a
 * program linked statically without that library simply has no such list. */
extern void xentoolcore__register_active_handle(struct xs_active *self) __attribute__((weak));
extern void xentoolcore__deregister_active_handle(struct xs_active *self) __attribute__((weak));
extern int xentoolcore__restrict_by_dup2_null(int fd) __attribute__((weak));

/* The descriptor is replaced on purpose: that loss is the last. */
static int handle_restrict(struct xs_active *active, uint16_t domid)
{
	struct xs_handle *h = (struct xs_handle *)active;
	int rc = 0;

	(void)domid;
	pthread_mutex_lock(&h->lock);
	xs_client_set_patience(h->c, 0);
	if (h->c->fd >= 0)
		rc = xentoolcore__restrict_by_dup2_null(h->c->fd);
	xs_wake(h);
	pthread_mutex_unlock(&h->lock);
	return rc;
}

static struct xs_handle *handle_open(unsigned long flags, const struct xs_how *how)
{
	struct xs_handle *h = calloc(1, sizeof(*h));
	int rc = h ? xs_client_open_how(&h->c, how) : -ENOMEM;

	if (rc) {
		free(h);
		errno = -rc;
		return NULL;
	}
	h->flags = flags;
	h->wake_fd = -1;
	h->c->raw_fn = xs_queue_event;
	h->c->raw_arg = h;
	h->events_tail = &h->events;
	h->event_pipe[0] = h->event_pipe[1] = -1;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	h->active.restrict_cb = handle_restrict;
	if (xentoolcore__register_active_handle)
		xentoolcore__register_active_handle(&h->active);
	return h;
}

struct xs_handle *xs_open(unsigned long flags)
{
	const char *path = flags & XS_OPEN_SOCKETONLY ? xs_daemon_socket() : NULL;

	return handle_open(flags, &(struct xs_how){ .path = path, .device_says = true });
}

struct xs_handle *xs_open_with(xs_connect_fn *fn, void *arg)
{
	return handle_open(0, &(struct xs_how){ .connect = fn, .connect_arg = arg });
}

struct xs_handle *xs_daemon_open(void)
{
	return xs_open(0);
}

struct xs_handle *xs_daemon_open_readonly(void)
{
	return xs_open(0);
}

struct xs_handle *xs_domain_open(void)
{
	return xs_open(0);
}

static void handle_free(struct xs_handle *h)
{
	if (xentoolcore__deregister_active_handle)
		xentoolcore__deregister_active_handle(&h->active);
	xs_client_abandon(h->c);
	while (h->events) {
		struct xs_event *e = h->events;

		h->events = e->next;
		free(e);
	}
	if (h->event_pipe[0] >= 0) {
		close(h->event_pipe[0]);
		close(h->event_pipe[1]);
	}
	if (h->wake_fd >= 0)
		close(h->wake_fd);
	free(h);
}

void xs_daemon_close(struct xs_handle *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->talking)
		pthread_cond_wait(&h->changed, &h->lock);
	h->closing = true;
	xs_wake(h);
	pthread_mutex_unlock(&h->lock);
	if (h->reader_running)
		pthread_join(h->reader, NULL);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->changed);
	handle_free(h);
}

void xs_close(struct xs_handle *h)
{
	if (h)
		xs_daemon_close(h);
}

/* In the child of a fork there is no reader thread, and the lock may be held by nobody. */
void xs_daemon_destroy_postfork(struct xs_handle *h)
{
	handle_free(h);
}

/* ---- one request ---- */

static void wait_for_connection(struct xs_handle *h)
{
	struct pollfd p[2];
	int ms = xs_client_prepare(h->c, &p[0]);

	if (ms == 0)
		return;
	p[1] = (struct pollfd){ .fd = h->wake_fd, .events = POLLIN };
	pthread_mutex_unlock(&h->lock);
	poll(p, 2, ms);
	pthread_mutex_lock(&h->lock);
	if (p[1].revents)
		eventfd_read(p[1].fd, &(eventfd_t){ 0 });
}

void xs_wake(struct xs_handle *h)
{
	if (h->wake_fd >= 0)
		eventfd_write(h->wake_fd, 1);
}

/* Works once for all. Call with lock held, as the one that may. */
static void pump_once(struct xs_handle *h)
{
	wait_for_connection(h);
	xs_client_dispatch(h->c);
	/* who is woken needs the lock: without it here nobody is put to sleep again at once */
	pthread_mutex_unlock(&h->lock);
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_lock(&h->lock);
}

static void pump(struct xs_handle *h)
{
	if (h->pumped) {
		pthread_cond_wait(&h->changed, &h->lock);
		return;
	}
	h->pumped = true;
	pump_once(h);
	h->pumped = false;
	pthread_cond_broadcast(&h->changed);
}

void xs_pump_always(struct xs_handle *h)
{
	while (h->pumped)
		pthread_cond_wait(&h->changed, &h->lock);
	h->pumped = true;
	while (!h->closing && !h->c->error)
		pump_once(h);
	h->pumped = false;
	pthread_cond_broadcast(&h->changed);
}

void xs_answer_take(void *arg, int rc, const char *data, size_t len)
{
	struct xs_answer *a = arg;

	a->here = true;
	a->rc = rc;
	a->len = len;
	a->data = rc ? NULL : malloc(len + 1);
	if (a->data)
		memcpy(a->data, data, len + 1);
	else if (!rc)
		a->rc = -ENOMEM;
}

int xs_await(struct xs_handle *h, struct xs_answer *a, int rc)
{
	if (rc)
		return rc == h->c->error ? -EIO : rc;
	h->talking++;
	/*
	 * The reader, which waits already, does not know of what the connection did not take at
	 * once; whoever else waits does so for an answer, which comes.
	 */
	if (h->pumped && xs_client_push(h->c))
		xs_wake(h);
	while (!a->here)
		pump(h);
	if (--h->talking == 0)
		pthread_cond_broadcast(&h->changed);
	return a->rc && a->rc == h->c->error ? -EIO : a->rc;
}

char *xs_talk(struct xs_handle *h, uint32_t id, enum xsd_sockmsg_type type,
	      const struct iovec *iov, unsigned int nr, unsigned int *len)
{
	struct xs_answer a = { .here = false };
	int rc;

	pthread_mutex_lock(&h->lock);
	rc = xs_await(h, &a, xs_submit(h->c, type, id, iov, nr, xs_answer_take, &a));
	pthread_mutex_unlock(&h->lock);
	if (!rc && len)
		*len = (unsigned int)a.len;
	/* a success clears errno, as in the original: Debian's test-xenstore depends on it */
	errno = rc == -EBADMSG ? EBADF : -rc;
	return a.data;
}

char *xs_talk_str(struct xs_handle *h, uint32_t id, enum xsd_sockmsg_type type, const char *s,
		  unsigned int *len)
{
	struct iovec iov = { (void *)s, strlen(s) + 1 };

	return xs_talk(h, id, type, &iov, 1, len);
}

bool xs_ack(char *reply)
{
	free(reply);
	return reply != NULL;
}
