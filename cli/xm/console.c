/* SPDX-License-Identifier: MIT */
/*
 * console.c - see console.h. One poll loop over standard input, the pty, the store and signals.
 *
 * The pty's path is /local/domain/N/console/tty; consback writes it. When the pty closes the domain
 * is rebooting, gone, or consback was restarted: /status/domain/NAME says which.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "domains.h"
#include "store.h"

#define KEY_LEAVE 0x1d		       /* Ctrl-] */
#define RETRY_NS INT64_C(200000000)    /* between looks for a pty that is not there */
#define APPEAR_NS INT64_C(15000000000) /* for the first one */
#define SECOND_MS 1000
#define LINGER_NS INT64_C(200000000) /* after the last typed byte, before leaving */

enum { FD_IN, FD_PTY, FD_STORE, FD_SIGNAL, FD_NR };

struct console {
	struct xm *xm;
	struct xs_handle *xs;
	const char *name;
	int in, out, pty; /* descriptors; -1: closed */
	struct interrupts signals;
	int domid; /* the pty's; -1: none yet */
	bool raw, in_ended, leave, attached_once;
	struct termios saved;
	char pending[4096]; /* typed, not yet taken by the pty */
	size_t nr_pending;
	int64_t wrote_ns;	   /* when the pty last took something */
	int64_t idle_ns, heard_ns; /* heard: when the guest last said something */
	char moved[256]; /* the host that it is handed over to; "": it is not */
};

/* ---- the user's terminal ---- */

static void terminal_raw(struct console *c)
{
	struct termios raw;

	if (!isatty(c->in) || tcgetattr(c->in, &c->saved) < 0)
		return;
	raw = c->saved;
	cfmakeraw(&raw);
	c->raw = tcsetattr(c->in, TCSANOW, &raw) == 0;
}

static void terminal_restore(struct console *c)
{
	if (c->raw)
		tcsetattr(c->in, TCSADRAIN, &c->saved);
	c->raw = false;
}

/* A remark of ours between the guest's lines; a raw terminal needs the carriage return. */
static void remark(struct console *c, const char *text)
{
	if (c->raw)
		fprintf(c->xm->err, "\r\n[%s]\r\n", text);
	fflush(c->xm->err);
}

static void write_out(struct console *c, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(c->out, buf, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd fd = { .fd = c->out, .events = POLLOUT };

			poll(&fd, 1, SECOND_MS);
		} else if (n < 0 && errno != EINTR) {
			c->leave = true; /* the reader of our output is gone */
			return;
		} else if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
}

/* ---- the pty ---- */

static void pty_close(struct console *c)
{
	if (c->pty >= 0)
		close(c->pty);
	c->pty = -1;
	c->nr_pending = 0;
}

static void pty_open(struct console *c, const struct domain *dom)
{
	char *path = store_read(c->xs, XBT_NULL, "/local/domain/%d/console/tty", dom->domid);
	struct termios raw;

	/* Whatever the key says, only a terminal's other end is opened. */
	if (path && strncmp(path, "/dev/pts/", 9) == 0 && !strstr(path, ".."))
		c->pty = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	free(path);
	if (c->pty < 0)
		return;
	/* The line discipline is the guest's business, not this pty's. */
	if (tcgetattr(c->pty, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(c->pty, TCSANOW, &raw);
	}
	if (c->attached_once && c->domid != dom->domid)
		remark(c, "the domain started again");
	c->domid = dom->domid;
	c->attached_once = true;
	c->heard_ns = store_now();
}

/* Reads what there is. false: the other side has closed. */
static bool pty_read(struct console *c)
{
	char buf[4096];
	ssize_t n = read(c->pty, buf, sizeof(buf));

	if (n > 0) {
		c->heard_ns = store_now();
		write_out(c, buf, (size_t)n);
		return true;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void pty_flush(struct console *c)
{
	ssize_t n = write(c->pty, c->pending, c->nr_pending);

	if (n <= 0)
		return;
	c->nr_pending -= (size_t)n;
	memmove(c->pending, c->pending + n, c->nr_pending);
	c->wrote_ns = c->heard_ns = store_now();
}

/* ---- the loop ---- */

static void read_input(struct console *c)
{
	size_t room = sizeof(c->pending) - c->nr_pending;
	char *at = c->pending + c->nr_pending, *key;
	ssize_t n = read(c->in, at, room);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		c->in_ended = true;
		c->heard_ns = store_now();
		return;
	}
	key = memchr(at, KEY_LEAVE, (size_t)n);
	if (key) {
		c->leave = true;
		n = key - at;
	}
	c->nr_pending += (size_t)n;
}

/* The record says so from the hand-over until it goes; one that stays is without it again. */
static void look_where(struct console *c)
{
	char *moved = store_read(c->xs, XBT_NULL, "/config/domain/%s/moved", c->name);
	const char *host = moved ? strchr(moved, ' ') : NULL;
	struct domain dom;

	if (host)
		snprintf(c->moved, sizeof(c->moved), "%s", host + 1);
	else if (domain_read(c->xs, c->name, &dom) && dom.has_record)
		c->moved[0] = '\0';
	free(moved);
}

/* Whether the domain will have a console again: it runs, or is between two lives. */
static bool look(struct console *c)
{
	struct domain dom;

	if (!domain_read(c->xs, c->name, &dom))
		return false;
	switch (dom.state) {
	case DOM_STARTING:
	case DOM_RUNNING:
	case DOM_PAUSED:
	case DOM_STOPPING:
		break;
	case DOM_DEFINED:
	case DOM_FAILED:
	case DOM_SHUTDOWN:
	case DOM_CRASHED:
	case DOM_UNKNOWN:
	case DOM_STATE_NR:
		/* A dead domain that is kept still has its console's last words. */
		if (dom.domid < 0 || c->attached_once)
			return false;
	}
	if (c->pty < 0 && dom.domid >= 0)
		pty_open(c, &dom);
	return true;
}

static int64_t next_deadline(const struct console *c)
{
	if (c->pty < 0)
		return store_deadline(RETRY_NS);
	if (c->in_ended && c->idle_ns >= 0)
		return c->heard_ns + c->idle_ns;
	return STORE_FOREVER;
}

/* An hour at most: a turn looks at the clock again. */
static int poll_ms(int64_t deadline_ns)
{
	int64_t left = deadline_ns - store_now();

	if (deadline_ns == STORE_FOREVER)
		return -1;
	if (left > INT64_C(3600000000000))
		return 3600000;
	return left < 0 ? 0 : (int)((left + 999999) / 1000000);
}

/* One turn. false: it is over. */
static bool turn(struct console *c)
{
	bool want_in = !c->in_ended && c->pty >= 0 && c->nr_pending < sizeof(c->pending);
	int64_t deadline = next_deadline(c);
	struct pollfd fds[FD_NR] = {
		[FD_IN] = { .fd = want_in ? c->in : -1, .events = POLLIN },
		[FD_PTY] = { .fd = c->pty, .events = POLLIN | (c->nr_pending ? POLLOUT : 0) },
		[FD_STORE] = { .fd = xs_fileno(c->xs), .events = POLLIN },
		[FD_SIGNAL] = { .fd = c->signals.fd, .events = POLLIN },
	};
	bool again = true;

	if (poll(fds, FD_NR, poll_ms(deadline)) < 0 && errno != EINTR)
		return false;
	if (fds[FD_SIGNAL].revents)
		return false;
	if (fds[FD_IN].revents)
		read_input(c);
	if (fds[FD_PTY].revents & POLLOUT)
		pty_flush(c);
	if (c->pty >= 0 && fds[FD_PTY].revents & (POLLIN | POLLHUP | POLLERR) && !pty_read(c))
		pty_close(c);
	if (fds[FD_STORE].revents) {
		xs_easy_drain(c->xs);
		look_where(c);
	}
	if (c->pty < 0)
		again = look(c);
	if (c->in_ended && c->idle_ns >= 0 && c->pty >= 0 && !c->nr_pending &&
	    store_now() - c->heard_ns >= c->idle_ns)
		again = false;
	return again && !c->leave;
}

/*
 * What was typed before Ctrl-] still reaches the guest, if it takes it within a second. A pty that
 * closes may take its last bytes along: consback gets a moment to fetch them.
 */
static void drain_pending(struct console *c)
{
	int64_t deadline = store_deadline(INT64_C(1000000000));

	while (c->pty >= 0 && store_now() < deadline) {
		struct pollfd fd = { .fd = c->pty, .events = POLLIN | (c->nr_pending ? POLLOUT : 0) };

		if (!c->nr_pending && store_now() - c->wrote_ns >= LINGER_NS)
			return;
		poll(&fd, 1, 20);
		if (fd.revents & POLLOUT)
			pty_flush(c);
		if (fd.revents & (POLLIN | POLLHUP | POLLERR) && !pty_read(c))
			return;
	}
}

/* Waits for the first pty. false: there will be none (told, unless the domain just ended). */
static bool wait_first(struct console *c, int *status)
{
	int64_t deadline = store_deadline(APPEAR_NS);

	while (look(c) && c->pty < 0) {
		int64_t next = store_deadline(RETRY_NS);
		int ret = store_wait(c->xs, c->signals.fd, next < deadline ? next : deadline);

		if (ret == -EINTR)
			return false;
		if (store_now() >= deadline) {
			*status = xm_fail(
				c->xm,
				"%s has no console (no pty in /local/domain/*/console/tty); "
				"is consback running?",
				c->name);
			return false;
		}
	}
	if (c->pty < 0)
		*status = xm_fail(c->xm,
				  "%s ended before its console was there; its log is "
				  "/var/log/xen/console/guest-%s.log",
				  c->name, c->name);
	return c->pty >= 0;
}

static void say_farewell(struct console *c)
{
	char text[2 * sizeof(c->moved) + DOMAIN_NAME_MAX];

	if (c->leave || !c->moved[0]) {
		remark(c, c->leave ? "console left" : "the domain is gone");
		return;
	}
	snprintf(text, sizeof(text), "%s runs on %s now: xm console %s there has it, with what it said here",
		 c->name, c->moved, c->name);
	remark(c, text);
	if (!c->raw)
		xm_warn(c->xm, "%s", text);
}

int console_attach(struct xm *xm, const char *name, int64_t idle_ns)
{
	struct console c = { .xm = xm,
			     .xs = xm_store(xm),
			     .name = name,
			     .pty = -1,
			     .domid = -1,
			     .idle_ns = idle_ns,
			     .heard_ns = store_now() };
	int status = 0;

	if (!c.xs)
		return 1;
	fflush(xm->out);
	c.in = fileno(xm->in);
	c.out = fileno(xm->out);
	interrupts_open(&c.signals);
	if (!store_watch(c.xs, "console", "/status/domain/%s", name) ||
	    !store_watch(c.xs, "console", "/config/domain/%s/moved", name))
		status = xm_fail_store(xm, "watching the domain", errno);
	else if (wait_first(&c, &status)) {
		terminal_raw(&c);
		while (turn(&c))
			;
		drain_pending(&c);
		say_farewell(&c);
		terminal_restore(&c);
	}
	store_unwatch(c.xs, "console", "/status/domain/%s", name);
	store_unwatch(c.xs, "console", "/config/domain/%s/moved", name);
	pty_close(&c);
	interrupts_close(&c.signals);
	return status;
}
