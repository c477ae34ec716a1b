/* SPDX-License-Identifier: MIT */
/*
 * xs_reconnect.c - a lost connection to the store daemon is made again, with every watch.
 * Only for sockets: behind the xenbus device the kernel keeps the connection.
 * Runs in whoever receives (see xs_handle.h); h->in belongs to the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "xs_handle.h"

#define RECONNECT_NS (10ULL * 1000 * 1000 * 1000)
#define BACKOFF_FIRST_NS (1000 * 1000)
#define BACKOFF_MAX_NS (20 * 1000 * 1000)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Ends early when the handle is closed. */
static void back_off(const struct xs_handle *h, long ns)
{
	struct timespec ts = { 0, ns };
	struct pollfd stop = { .fd = h->stop_fd, .events = POLLIN };

	ppoll(&stop, 1, &ts, NULL);
}

static bool given_up(struct xs_handle *h)
{
	bool up;

	pthread_mutex_lock(&h->lock);
	up = h->closing || h->restricted;
	pthread_mutex_unlock(&h->lock);
	return up;
}

/* Registers one watch on the new connection. Events that come with it are queued. */
static int rewatch(struct xs_handle *h, int fd, const struct xs_reg *reg)
{
	struct xsd_sockmsg hdr = { .type = XS_WATCH, .req_id = 0, .len = reg->len };
	struct iovec iov = { (void *)reg->body, reg->len };
	struct xs_msg msg;
	int rc = xs_send(h, fd, &hdr, &iov, 1);

	while (!rc) {
		rc = xs_receive(h, fd, &msg);
		if (rc)
			break;
		if (msg.hdr.type != XS_WATCH_EVENT) {
			/* refused: the daemon forgot who may watch; the rest still counts */
			free(msg.body);
			return 0;
		}
		pthread_mutex_lock(&h->lock);
		xs_queue_event(h, &msg);
		pthread_mutex_unlock(&h->lock);
	}
	return rc;
}

static int rewatch_all(struct xs_handle *h, int fd)
{
	int rc = 0;

	h->in.start = h->in.end = 0;
	for (struct xs_reg *r = h->regs; r && !rc; r = r->next)
		rc = rewatch(h, fd, r);
	return rc;
}

/* From here on @fd is the connection. */
static int switch_over(struct xs_handle *h, int fd)
{
	int rc;

	pthread_mutex_lock(&h->send_lock);
	rc = dup3(fd, h->fd, O_CLOEXEC) < 0 ? -errno : 0;
	pthread_mutex_lock(&h->lock);
	h->epoch++;
	if (h->reply_state == XS_REPLY_WAITING)
		h->reply_state = XS_REPLY_LOST;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_mutex_unlock(&h->send_lock);
	return rc;
}

static int connection(struct xs_handle *h)
{
	bool is_socket;
	int fd;

	if (h->connect)
		return h->connect(h->connect_arg);
	fd = xs_transport_open(h->path, &is_socket);
	return fd < 0 ? -errno : fd;
}

static int connect_once(struct xs_handle *h)
{
	int fd = connection(h);
	int rc;

	if (fd < 0)
		return fd;
	/*
	 * Up to the switch: a watch added meanwhile is either made again here, or whoever added it
	 * sees that this is another connection.
	 */
	pthread_mutex_lock(&h->regs_lock);
	rc = rewatch_all(h, fd);
	if (!rc)
		rc = switch_over(h, fd);
	pthread_mutex_unlock(&h->regs_lock);
	close(fd);
	return rc;
}

static void declare_dead(struct xs_handle *h)
{
	pthread_mutex_lock(&h->lock);
	h->dead = true;
	if (h->event_pipe[1] >= 0 && write(h->event_pipe[1], "", 1) != 1)
		errno = 0; /* already readable: as good */
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

int xs_reconnect(struct xs_handle *h)
{
	uint64_t deadline_ns = now_ns() + RECONNECT_NS;
	long wait_ns = BACKOFF_FIRST_NS;
	int rc = -EIO;

	while (h->is_socket && !given_up(h) && (h->connect || now_ns() < deadline_ns)) {
		rc = connect_once(h);
		if (!rc)
			return 0;
		back_off(h, wait_ns);
		wait_ns = wait_ns * 2 > BACKOFF_MAX_NS ? BACKOFF_MAX_NS : wait_ns * 2;
	}
	declare_dead(h);
	return rc;
}
