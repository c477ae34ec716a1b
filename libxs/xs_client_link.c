/* SPDX-License-Identifier: MIT */
/*
 * xs_client_link.c - the asynchronous client's connection: opening, losing, making it again with
 * back-off and everything on it, and the one descriptor an event loop polls for all that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "xs_client_priv.h"

#define PATIENCE_MS 10000
#define BACKOFF_FIRST_NS (1000ULL * 1000)
#define BACKOFF_SOON_NS (20ULL * 1000 * 1000)   /* while a daemon may be starting again */
#define BACKOFF_LATER_NS (1000ULL * 1000 * 1000) /* once it seems to be gone for longer */
#define SOON_NS (5000ULL * 1000 * 1000)

/* The first connection, to @path. Its queue may be full: that is waited for, but not for ever. */
static int open_patiently(const char *path, bool *is_socket)
{
	uint64_t deadline_ns = xs_now_ns() + PATIENCE_MS * 1000000ULL;
	int fd;

	while ((fd = xs_transport_open(path, is_socket)) < 0 && errno == EAGAIN) {
		if (xs_now_ns() >= deadline_ns) {
			errno = ETIMEDOUT;
			return -1;
		}
		usleep(BACKOFF_FIRST_NS / 1000);
	}
	return fd;
}

/* Descriptor and its name, or -errno. */
static int open_any(const struct xs_how *how, bool *is_socket, const char **name)
{
	static const char *const devices[] = { "/dev/xen/xenbus", "/proc/xen/xenbus" };
	int fd, err;

	*name = how->path ? how->path : xs_daemon_socket();
	fd = open_patiently(*name, is_socket);
	err = errno;
	if (fd < 0 && !how->path && !getenv("XENSTORED_PATH"))
		for (size_t i = 0; fd < 0 && i < sizeof(devices) / sizeof(devices[0]); i++) {
			*name = devices[i];
			fd = open_patiently(*name, is_socket);
			if (fd < 0 && how->device_says && errno != ENOENT)
				err = errno;
		}
	return fd < 0 ? -err : fd;
}

static int open_first(struct xs_client *c, const struct xs_how *how)
{
	const char *name = NULL;
	int fd;

	c->is_socket = true;
	fd = how->connect ? how->connect(how->connect_arg) : open_any(how, &c->is_socket, &name);
	if (fd < 0)
		return fd;
	c->path = name ? strdup(name) : NULL;
	if ((name && !c->path) || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
		close(fd);
		return -ENOMEM;
	}
	c->fd = fd;
	return 0;
}

int xs_client_open(struct xs_client **out, const char *path)
{
	return xs_client_open_how(out, &(struct xs_how){ .path = path });
}

int xs_client_open_how(struct xs_client **out, const struct xs_how *how)
{
	struct xs_client *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->epoll_fd = c->timer_fd = c->fd = -1;
	c->reqs_tail = &c->reqs;
	c->connect = how->connect;
	c->connect_arg = how->connect_arg;
	c->patience_ms = how->connect ? -1 : PATIENCE_MS;
	c->silence_ms = -1;
	c->proved = true; /* who opens finds out by itself */
	rc = open_first(c, how);
	if (rc) {
		free(c->path);
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

/* Nobody is left to ask about what was in flight. */
static void fail_all(struct xs_client *c, int rc)
{
	c->error = rc;
	while (c->reqs) {
		bool unknown = rc != -ECANCELED && xs_session_decides(c, c->reqs);

		xs_req_finish(c, c->reqs, unknown ? -ENOTRECOVERABLE : rc, "", 0);
	}
}

void xs_client_close(struct xs_client *c)
{
	if (!c)
		return;
	fail_all(c, -ECANCELED);
	xs_client_abandon(c);
}

void xs_client_abandon(struct xs_client *c)
{
	while (c->reqs) {
		struct xs_req *r = c->reqs;

		c->reqs = r->next;
		free(r);
	}
	for (uint32_t i = 0; i < c->nr_watches; i++)
		free(c->watches[i]);
	free(c->watches);
	if (c->fd >= 0)
		close(c->fd);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	free(c->in.data);
	free(c->out.data);
	free(c->txns);
	free(c->path);
	free(c);
}

void xs_client_set_patience(struct xs_client *c, int64_t ms)
{
	c->patience_ms = ms;
}

void xs_client_set_silence(struct xs_client *c, int64_t ms)
{
	c->silence_ms = ms;
	c->heard_ns = xs_now_ns();
}

void xs_client_on_link(struct xs_client *c, xs_link_fn *fn, void *arg)
{
	c->link_fn = fn;
	c->link_arg = arg;
}

int xs_client_error(const struct xs_client *c)
{
	return c->error;
}

/* ---- lost ---- */

static int lost_outcome(const struct xs_client *c, const struct xs_req *r)
{
	if (xs_session_decides(c, r))
		return 0;
	if (r->hdr.tx_id)
		return -EAGAIN;
	/* nobody has to be asked for ever what the daemon dies of */
	return r->hdr.type == XS_CONTROL || r->losses > XS_LOSSES_MAX ? -EIO : 0;
}

/* Ends what must not be sent again. A callback may submit more: those wait for the reconnect. */
static void settle_lost(struct xs_client *c)
{
	struct xs_req *r = c->reqs;

	while (r) {
		int rc = r->rewatch ? -ECONNRESET : lost_outcome(c, r);
		struct xs_req *next = r->next;

		if (rc) {
			xs_req_finish(c, r, rc, "", 0);
			/* the callback may have changed the list behind r, never before it */
			next = c->reqs;
		}
		r = next;
	}
}

void xs_link_lost(struct xs_client *c, int err)
{
	if (c->fd < 0)
		return;
	if (c->epoll_fd >= 0)
		epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	c->epoll_mask = 0;
	close(c->fd);
	c->fd = -1;
	c->in.start = c->in.end = 0;
	c->out.start = c->out.end = 0;
	for (size_t i = 0; i < c->nr_txns; i++)
		c->txns[i].wire = 0;
	c->broken = 0;
	c->no_bulk = false;
	c->in_session = c->holding = false;
	for (struct xs_req *r = c->reqs; r; r = r->next) {
		/* of what went out in part the daemon can have made nothing */
		r->sent = r->out ? r->end <= c->flushed : r->sent;
		r->losses += r->out && r->sent;
		r->out = false;
	}
	c->emitted = c->flushed = 0;
	/*
	 * a dying daemon may still take a connection that nobody will serve: the same loss goes on
	 */
	if (c->proved) {
		c->proved = false;
		c->lost_ns = xs_now_ns();
		c->backoff_ns = BACKOFF_FIRST_NS;
		if (c->link_fn)
			c->link_fn(c->link_arg, false);
	}
	c->retry_ns = xs_now_ns() + c->backoff_ns;
	settle_lost(c);
	if (c->patience_ms == 0 || !c->is_socket)
		fail_all(c, err);
}

/* ---- made again ---- */

/* The first answer on a new connection: somebody is really there. */
static void proved(void *arg, int rc, const char *data, size_t len)
{
	struct xs_client *c = arg;

	(void)data;
	(void)len;
	if (rc == -ECONNRESET || rc == -ECANCELED || c->broken)
		return;
	c->proved = true;
	if (c->link_fn)
		c->link_fn(c->link_arg, true);
}

static int ask_for_proof(struct xs_client *c)
{
	struct iovec iov = { "0", 2 };

	return xs_req_submit_own(c, XS_GET_DOMAIN_PATH, &iov, 1, proved, c);
}

/* Whether anything waits that must not be done twice. */
static bool has_changes(const struct xs_req *r)
{
	while (r && !xs_req_counts(r))
		r = r->next;
	return r;
}

static int resend_all(struct xs_client *c)
{
	struct xs_req *old = c->reqs, **old_tail = c->reqs_tail;
	int rc = 0;

	/* watches first, so that whoever re-reads on an event of the reconnect misses nothing */
	c->reqs = NULL;
	c->reqs_tail = &c->reqs;
	for (uint32_t i = 0; i < c->nr_watches && !rc; i++)
		if (c->watches[i] && c->watches[i]->registered)
			rc = xs_watch_again(c, c->watches[i]);
	if (!rc)
		rc = ask_for_proof(c);
	/* what became of them comes first; then the rest goes out, in order */
	if (!rc && has_changes(old))
		rc = xs_session_ask(c);
	*c->reqs_tail = old;
	if (old)
		c->reqs_tail = old_tail;
	for (struct xs_req *r = old; r && !rc && !c->holding; r = r->next)
		rc = xs_req_emit(c, r);
	return rc;
}

void xs_link_retry(struct xs_client *c)
{
	uint64_t now = xs_now_ns(), max_ns;
	bool is_socket;
	int fd;

	if (c->error || now < c->retry_ns)
		return;
	if (c->patience_ms > 0 && now - c->lost_ns > (uint64_t)c->patience_ms * 1000000) {
		fail_all(c, -EIO);
		return;
	}
	fd = c->connect ? c->connect(c->connect_arg) : xs_transport_open(c->path, &is_socket);
	if (fd >= 0 && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0) {
		c->fd = fd;
		c->heard_ns = now;
		if (resend_all(c) != 0) {
			xs_link_lost(c, -ENOMEM);
			return;
		}
		xs_link_arm(c);
		return;
	}
	if (fd >= 0)
		close(fd);
	/* up to a quarter earlier or later, so that many clients do not return in one crowd */
	c->retry_ns = now + c->backoff_ns * (768 + (now >> 7) % 512) / 1024;
	max_ns = now - c->lost_ns < SOON_NS ? BACKOFF_SOON_NS : BACKOFF_LATER_NS;
	c->backoff_ns = c->backoff_ns * 2 > max_ns ? max_ns : c->backoff_ns * 2;
}

static int ms_until(uint64_t ns)
{
	uint64_t now = xs_now_ns();

	return now >= ns ? 0 : (int)((ns - now + 999999) / 1000000);
}

/* Milliseconds until the daemon has been silent for too long; -1: it may be. */
static int silence_left_ms(const struct xs_client *c)
{
	uint64_t end_ns = c->heard_ns + (uint64_t)c->silence_ms * 1000000;
	uint64_t patience_ns = c->lost_ns + (uint64_t)c->patience_ms * 1000000;

	if (c->silence_ms < 0 || c->fd < 0 || !c->is_socket || !c->nr_owed)
		return -1;
	return ms_until(!c->proved && c->patience_ms > 0 && patience_ns < end_ns ? patience_ns :
										   end_ns);
}

bool xs_link_is_silent(const struct xs_client *c)
{
	return silence_left_ms(c) == 0;
}

int xs_link_wait_ms(const struct xs_client *c)
{
	return c->fd >= 0 ? silence_left_ms(c) : ms_until(c->retry_ns);
}

/* ---- the descriptor for event loops ---- */

static void arm_timer(struct xs_client *c)
{
	struct itimerspec t = { .it_value = { 0, 0 } };

	if (c->fd < 0 && !c->error) {
		t.it_value.tv_sec = c->retry_ns / 1000000000;
		t.it_value.tv_nsec = c->retry_ns % 1000000000;
	}
	timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

void xs_link_arm(struct xs_client *c)
{
	struct epoll_event e = { .events = EPOLLIN };

	if (c->epoll_fd < 0)
		return;
	if (c->fd < 0) {
		arm_timer(c);
		return;
	}
	if (c->is_socket && c->out.start < c->out.end)
		e.events |= EPOLLOUT;
	if (e.events == c->epoll_mask)
		return;
	if (!c->epoll_mask)
		arm_timer(c);
	epoll_ctl(c->epoll_fd, c->epoll_mask ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e);
	c->epoll_mask = e.events;
}

int xs_client_fd(struct xs_client *c)
{
	struct epoll_event e = { .events = EPOLLIN };

	if (c->epoll_fd >= 0)
		return c->epoll_fd;
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->epoll_fd < 0 || c->timer_fd < 0 ||
	    epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->timer_fd, &e) < 0)
		return -errno;
	xs_link_arm(c);
	return c->epoll_fd;
}
