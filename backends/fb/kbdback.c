/* SPDX-License-Identifier: MIT */
/*
 * kbdback.c - keyboard and pointer backend process: what viewers of one guest's screen do.
 *
 * fbback has the viewers; their keys come by a FIFO (input_pipe.h), one event each, and go into the
 * guest's ring as they are. Owns the backend directory's feature-abs-pointer, width, height. Of
 * what the guest has no room for it is told later how it ended (kbd_owed.h).
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "backend_main.h"
#include "input_pipe.h"
#include "kbd_owed.h"
#include "kbd_ring.h"

#define EVENTS_A_TURN XENKBD_IN_RING_LEN

struct kbdback {
	int input;
	bool absolute;	/* the guest wants the pointer's place, not its way */
	int32_t x, y;	/* where the pointer was, for its way */
	struct kbd_owed *owed; /* in the journal */
	struct event *readable;
};

static struct kbdback kbdback = { .input = -1 }; /* the one keyboard of this process */

/* There is room for it. */
static void tell(struct kbdback *k, struct xenkbd_page *page, union xenkbd_in_event *event)
{
	kbd_owed_told(k->owed, event);
	if (event->type == XENKBD_TYPE_POS && !k->absolute)
		kbd_to_motion(event, &k->x, &k->y);
	kbd_ring_put(page, event);
}

/* What there was no room for comes first. Returns how many are in the ring now; -EPROTO. */
static int pay(struct kbdback *k, struct xenkbd_page *page)
{
	union xenkbd_in_event event;
	int nr = 0, room = kbd_ring_room(page);

	for (; room > 0 && kbd_owed_next(k->owed, &event); room = kbd_ring_room(page)) {
		tell(k, page, &event);
		nr++;
	}
	return room < 0 ? room : nr;
}

/* Takes at most a turn's events. Returns how many were put into the ring or noted; -EPROTO. */
static int pass_on(struct backend *be)
{
	struct xenkbd_page *page = be->ring_page[0];
	struct kbdback *k = be->dev;
	union xenkbd_in_event event;
	int nr = pay(k, page), room = kbd_ring_room(page);

	if (nr < 0)
		return nr;
	for (int i = 0; room >= 0 && i < (int)EVENTS_A_TURN && input_pipe_get(k->input, &event); i++) {
		if (room > 0)
			tell(k, page, &event);
		else
			kbd_owed_note(k->owed, &event);
		nr++;
		room = kbd_ring_room(page);
	}
	return room < 0 ? room : nr;
}

static int kbd_work(struct backend *be, unsigned int queue)
{
	int nr = pass_on(be);

	kbd_ring_ignore(be->ring_page[0]);
	if (nr > 0)
		backend_notify(be, 0);
	return nr < 0 ? nr : nr >= (int)EVENTS_A_TURN;
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	struct backend *be = arg;

	if (be->connected)
		backend_kick(be, BACKEND_ALL_QUEUES);
	else
		input_pipe_drain(fd);
}

static int kbd_prepare(struct backend *be)
{
	int fd = input_pipe_open(be->domid, false);

	/* The screen's process makes it, and is being started, too. */
	if (fd < 0 && fd != -EAGAIN)
		backend_fail(be, "no way to the screen's viewers: %s", strerror(-fd));
	if (fd < 0)
		return fd;
	kbdback.input = fd;
	kbdback.owed = (struct kbd_owed *)((char *)be->journal.page + JOURNAL_HEAD);
	be->dev = &kbdback;
	return 0;
}

static int kbd_offer(struct backend *be, xs_transaction_t t)
{
	int rc = store_write(be->xs, t, be->path, XENKBD_FIELD_FEAT_ABS_POINTER, "1");

	input_pipe_drain(kbdback.input);
	if (rc == 0)
		rc = store_write(be->xs, t, be->path, XENKBD_FIELD_WIDTH, "%d", KBD_RANGE);
	if (rc == 0)
		rc = store_write(be->xs, t, be->path, XENKBD_FIELD_HEIGHT, "%d", KBD_RANGE);
	return rc;
}

static int kbd_connect(struct backend *be)
{
	struct kbdback *k = be->dev;
	uint64_t number, port;
	struct backend_queue queue;
	int rc = store_read_num(be->xs, be->frontend, XENKBD_FIELD_RING_GREF, UINT32_MAX, &number);

	if (rc == 0)
		rc = store_read_num(be->xs, be->frontend, XENKBD_FIELD_EVT_CHANNEL, UINT32_MAX,
				    &port);
	if (rc < 0)
		return rc;
	k->absolute = store_read_bool(be->xs, be->frontend, XENKBD_FIELD_REQ_ABS_POINTER, false);
	k->x = k->y = 0;
	queue = (struct backend_queue){ { (uint32_t)number }, (uint32_t)port };
	rc = backend_attach(be, &queue, 1, 1);
	/* A driver that begins knows of no key that is down. */
	if (rc == 0 && (!be->resumed || k->owed->nr > KBD_OWED_KEYS))
		memset(k->owed, 0, sizeof(*k->owed));
	return rc;
}

static void kbd_disconnect(struct backend *be)
{
	(void)be; /* what comes now is taken by on_input() */
}

static int kbd_start(struct backend *be, struct event_base *base)
{
	struct kbdback *k = be->dev;

	k->readable = event_new(base, k->input, EV_READ | EV_PERSIST, on_input, be);
	return k->readable && event_add(k->readable, NULL) == 0 ? 0 : -ENOMEM;
}

static void kbd_fini(struct backend *be)
{
	if (be->dev && kbdback.input >= 0)
		close(kbdback.input);
}

static const struct backend_ops kbd_ops = {
	.name = "kbdback",
	.type = "vkbd",
	.journal_extra = sizeof(struct kbd_owed),
	.has_frontend = true,
	.prepare = kbd_prepare,
	.offer = kbd_offer,
	.connect = kbd_connect,
	.disconnect = kbd_disconnect,
	.work = kbd_work,
	.start = kbd_start,
	.fini = kbd_fini,
};

int main(int argc, char **argv)
{
	return backend_main(argc, argv, &kbd_ops);
}
