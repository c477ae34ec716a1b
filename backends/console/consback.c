/* SPDX-License-Identifier: MIT */
/*
 * consback.c - console backend process: one guest's primary console as a pty, with scrollback
 * and a log.
 *
 * Owns /local/domain/N/console/tty. Guest output is stored before it is consumed from the ring,
 * so a kill loses none of it; it is taken at a bounded rate, a flooding guest waits in its own
 * ring.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <xen/grant_table.h>

#include <log.h>

#include "backend_main.h"
#include "cons_log.h"
#include "console_log_dir.h"
#include "cons_pty.h"
#include "cons_ring.h"
#include "scrollback.h"

/* Guest output taken in one period; more has to wait for the next. About 1.3 MB a second. */
#define PERIOD_US 50000
#define PERIOD_BYTES 65536

#define CAME_PART 3900
#define CAME_PARTS 4

struct consback {
	struct cons_pty pty;
	struct cons_log log;
	struct scrollback *back; /* in the journal */
	uint64_t pos;		 /* what the reader of the pty got so far */
	size_t budget;		 /* bytes the guest may still print in this period */
	bool attached;
	struct event *input, *output, *change, *period;
};

static struct consback consback; /* the one console of this process */

/* --- guest to pty ------------------------------------------------------------------------- */

/* Gives the reader what it has not seen; asks to be called when it can take more. */
static void feed_reader(struct consback *c)
{
	const char *piece;
	size_t len;

	while (c->attached && (len = scrollback_piece(c->back, &c->pos, &piece)) > 0) {
		ssize_t n = write(c->pty.master, piece, len);

		if (n <= 0) {
			event_add(c->output, NULL);
			return;
		}
		c->pos += (uint64_t)n;
	}
}

/* Takes guest output within the budget. Returns bytes taken or -EPROTO. */
static int take_output(struct backend *be)
{
	struct consback *c = be->dev;
	char buf[CONS_RING_OUT];
	size_t want = c->budget < sizeof(buf) ? c->budget : sizeof(buf);
	int n = cons_ring_peek(be->ring_page[0], buf, want);

	if (n <= 0)
		return n;
	scrollback_put(c->back, buf, (size_t)n);
	cons_log_write(&c->log, buf, (size_t)n);
	/* Only now is it ours: a kill before this line repeats these bytes, it never loses them. */
	cons_ring_consume(be->ring_page[0], (size_t)n);
	c->budget -= (size_t)n;
	return n;
}

static int cons_work(struct backend *be, unsigned int queue)
{
	struct consback *c = be->dev;
	bool any = false;
	int n;

	while ((n = take_output(be)) > 0)
		any = true;
	if (n < 0)
		return n;
	if (any)
		backend_notify(be, 0);
	if (c->budget < PERIOD_BYTES && c->period && !event_pending(c->period, EV_TIMEOUT, NULL)) {
		const struct timeval tv = { 0, PERIOD_US };

		event_add(c->period, &tv);
	}
	feed_reader(c);
	/* The guest also notifies when it has read input: there may be room again. */
	if (c->attached && c->input)
		event_add(c->input, NULL);
	return 0;
}

static void on_period(evutil_socket_t fd, short what, void *arg)
{
	consback.budget = PERIOD_BYTES;
	backend_kick(arg, BACKEND_ALL_QUEUES);
}

/* --- pty to guest ------------------------------------------------------------------------- */

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	struct backend *be = arg;
	struct consback *c = be->dev;
	char buf[1024];
	int room = be->connected ? cons_ring_room(be->ring_page[0]) : 0;
	ssize_t n;

	/* No room: the bytes wait in the pty, and the guest's next notify looks again. */
	if (room <= 0) {
		event_del(c->input);
		return;
	}
	n = read(c->pty.master, buf, (size_t)room < sizeof(buf) ? (size_t)room : sizeof(buf));
	if (n > 0) {
		cons_ring_write(be->ring_page[0], buf, (size_t)n);
		backend_notify(be, 0);
	} else if (n == 0 || errno != EAGAIN) {
		event_del(c->input);
	}
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	feed_reader(((struct backend *)arg)->dev);
}

static void on_change(evutil_socket_t fd, short what, void *arg)
{
	struct backend *be = arg;
	struct consback *c = be->dev;
	bool now = cons_pty_attached(&c->pty);

	if (now == c->attached)
		return;
	c->attached = now;
	if (now) {
		c->pos = scrollback_start(c->back);
		event_add(c->input, NULL);
		feed_reader(c);
	} else {
		event_del(c->input);
		event_del(c->output);
	}
}

/* --- life --------------------------------------------------------------------------------- */

static int cons_prepare(struct backend *be)
{
	char name[128], domain[64];
	int rc = cons_pty_open(&consback.pty);

	if (rc < 0) {
		backend_fail(be, "no pseudo terminal for the console: %s%s", strerror(-rc),
			     rc == -EMFILE ? " (each console needs one of the kernel's "
					     "fs.inotify.max_user_instances: raise it)"
					   : "");
		return rc;
	}
	be->dev = &consback;
	consback.back = (struct scrollback *)((char *)be->journal.page + JOURNAL_HEAD);
	consback.budget = PERIOD_BYTES;
	snprintf(domain, sizeof(domain), "/local/domain/%u", be->domid);
	consback.log.fd = consback.log.old_fd = -1;
	rc = store_read_str(be->xs, domain, "name", name, sizeof(name));
	if (rc == 0)
		rc = cons_log_open(&consback.log, console_log_dir(), name);
	if (rc < 0)
		log_warnx("%s: no console log: %s", be->path, strerror(-rc));
	return 0;
}

/* What it printed on the host that it comes from, in parts that xend wrote. */
static void take_came(struct backend *be)
{
	char part[CAME_PART + 1], key[24];

	for (unsigned int i = 0; i < CAME_PARTS; i++) {
		snprintf(key, sizeof(key), "came/%u", i);
		if (store_read_str(be->xs, be->path, key, part, sizeof(part)))
			return;
		scrollback_put(consback.back, part, strlen(part));
	}
}

static int cons_offer(struct backend *be, xs_transaction_t t)
{
	/* A console that is offered is new: whatever an old file holds is another guest's. */
	memset(consback.back, 0, sizeof(*consback.back));
	take_came(be);
	return 0;
}

static int cons_connect(struct backend *be)
{
	struct backend_queue queue = { .ref = { GNTTAB_RESERVED_CONSOLE } };
	uint64_t port;
	int rc = store_read_num(be->xs, be->frontend, "port", UINT32_MAX, &port);

	if (rc < 0)
		return rc;
	queue.port = (uint32_t)port;
	rc = backend_attach(be, &queue, 1, 1);
	if (rc < 0)
		return rc;
	return store_write(be->xs, XBT_NULL, be->frontend, "tty", "%s", consback.pty.slave);
}

static void cons_disconnect(struct backend *be)
{
	feed_reader(be->dev);
}

static int cons_start(struct backend *be, struct event_base *base)
{
	struct consback *c = be->dev;

	c->input = event_new(base, c->pty.master, EV_READ | EV_PERSIST, on_input, be);
	c->output = event_new(base, c->pty.master, EV_WRITE, on_output, be);
	c->change = event_new(base, c->pty.inotify, EV_READ | EV_PERSIST, on_change, be);
	c->period = evtimer_new(base, on_period, be);
	if (!c->input || !c->output || !c->change || !c->period)
		return -ENOMEM;
	return event_add(c->change, NULL) < 0 ? -EIO : 0;
}

static void cons_fini(struct backend *be)
{
	if (!be->dev)
		return;
	cons_log_close(&consback.log);
	cons_pty_close(&consback.pty);
}

static const struct backend_ops cons_ops = {
	.name = "consback",
	.type = "console",
	.journal_extra = sizeof(struct scrollback),
	.has_frontend = false,
	.prepare = cons_prepare,
	.offer = cons_offer,
	.connect = cons_connect,
	.disconnect = cons_disconnect,
	.work = cons_work,
	.start = cons_start,
	.fini = cons_fini,
};

int main(int argc, char **argv)
{
	return backend_main(argc, argv, &cons_ops);
}
