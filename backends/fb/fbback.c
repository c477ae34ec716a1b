/* SPDX-License-Identifier: MIT */
/*
 * fbback.c - framebuffer backend process: one guest's screen, shown to viewers by VNC.
 *
 * The guest's pixels are mapped to be read and copied, what changed at most 30 times a second and
 * only while somebody looks. What viewers type goes to kbdback. Owns the backend directory's
 * request-update, feature-resize and vnc-port.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <event2/event.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <xen/xen.h>
#include <xen/sys/privcmd.h>

#include <log.h>

#include "backend_main.h"
#include "fb_input.h"
#include "fb_map.h"
#include "fb_ring.h"
#include "fb_vnc.h"
#include "input_pipe.h"
#include "kbd_owed.h"

#define PERIOD_US 33333
#define SLOW_PERIOD_US 200000 /* of a guest that does not say what it changed */
#define RECTS 32

/* For a successor: what the shared page says only once, what viewers hold down. In the journal. */
struct kept {
	uint32_t valid, bytes;
	struct fb_shape shape;
	struct fb_held held;
};

struct fbback {
	struct fb_vnc vnc;
	struct fb_input in;
	int input; /* to kbdback */
	struct kbd_owed owed; /* that had no room there */
	struct event *room;   /* there is some again */
	struct fb_map *map;
	struct kept *kept;
	const uint8_t *memory; /* the guest's, NULL: not connected */
	bool updates;	       /* it says what it changed */
	unsigned int nr_rects;
	struct fb_rect rect[RECTS]; /* changed and not copied */
	unsigned int port;
	char title[64], password[SCREEN_PASSWORD_MAX + 1];
	struct event *period;
};

static struct fbback fbback = { .input = -1 }; /* the one screen of this process */

/* --- what changed --------------------------------------------------------------------------- */

static void wait_a_period(struct fbback *f)
{
	const struct timeval tv = { 0, f->updates ? PERIOD_US : SLOW_PERIOD_US };

	if (f->period && fb_vnc_watched(&f->vnc) && !event_pending(f->period, EV_TIMEOUT, NULL))
		event_add(f->period, &tv);
}

static uint32_t more(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static struct fb_rect around(const struct fb_rect *a, const struct fb_rect *b)
{
	struct fb_rect r = { a->x < b->x ? a->x : b->x, a->y < b->y ? a->y : b->y, 0, 0 };

	r.width = more(a->x + a->width, b->x + b->width) - r.x;
	r.height = more(a->y + a->height, b->y + b->height) - r.y;
	return r;
}

static void on_update(void *arg, const struct fb_rect *rect)
{
	struct fbback *f = arg;

	if (f->nr_rects < RECTS) {
		f->rect[f->nr_rects++] = *rect;
	} else {
		/* A guest says more than there is room for: one that has all of it. */
		for (unsigned int i = 1; i < RECTS; i++)
			f->rect[0] = around(&f->rect[0], &f->rect[i]);
		f->rect[0] = around(&f->rect[0], rect);
		f->nr_rects = 1;
	}
	wait_a_period(f);
}

/* What was said of a picture before is no part of @shape, perhaps. */
static void all_changed(struct fbback *f, const struct fb_shape *shape)
{
	f->rect[0] = (struct fb_rect){ 0, 0, shape->width, shape->height };
	f->nr_rects = 1;
	wait_a_period(f);
}

static int on_resize(void *arg, const struct fb_shape *shape)
{
	struct fbback *f = arg;
	int rc = fb_vnc_resize(&f->vnc, shape->width, shape->height);

	if (rc == 0)
		all_changed(f, shape);
	return rc;
}

static void on_period(evutil_socket_t fd, short what, void *arg)
{
	struct fbback *f = arg;

	if (f->memory && !f->updates)
		all_changed(f, &f->kept->shape);
	for (unsigned int i = 0; f->memory && i < f->nr_rects; i++)
		fb_vnc_copy(&f->vnc, f->memory, &f->kept->shape, &f->rect[i]);
	f->nr_rects = 0;
	fb_vnc_send(&f->vnc);
	if (f->memory && !f->updates)
		wait_a_period(f);
}

static int fb_work(struct backend *be, unsigned int queue)
{
	struct fbback *f = be->dev;
	const struct fb_events events = { on_update, on_resize, f };
	int nr = fb_ring_take(be->ring_page[0], &f->kept->shape, f->kept->bytes, &events);

	if (nr > 0)
		backend_notify(be, 0);
	return nr < 0 ? nr : 0;
}

/* --- viewers -------------------------------------------------------------------------------- */

static void on_key(void *arg, uint32_t keysym, bool down)
{
	fb_input_key(&fbback.in, keysym, down);
}

static void on_pointer(void *arg, uint32_t x, uint32_t y, uint8_t buttons)
{
	fb_input_pointer(&fbback.in, x, y, (uint32_t)fbback.vnc.screen->width,
			 (uint32_t)fbback.vnc.screen->height, buttons);
}

static void on_came(void *arg)
{
	if (fbback.memory)
		all_changed(&fbback, &fbback.kept->shape);
}

static void on_left(void *arg)
{
	if (!fb_vnc_watched(&fbback.vnc))
		fb_input_release(&fbback.in);
}

/* False: something is owed still, and on_room() comes when there is room for it. */
static bool pay(struct fbback *f)
{
	union xenkbd_in_event event;

	while (kbd_owed_next(&f->owed, &event)) {
		if (!input_pipe_put(f->input, &event)) {
			event_add(f->room, NULL);
			return false;
		}
		kbd_owed_told(&f->owed, &event);
	}
	return true;
}

static void put_event(void *arg, const union xenkbd_in_event *event)
{
	struct fbback *f = &fbback;

	if (pay(f) && input_pipe_put(f->input, event)) {
		kbd_owed_told(&f->owed, event);
	} else {
		kbd_owed_note(&f->owed, event);
		event_add(f->room, NULL);
	}
}

static void on_room(evutil_socket_t fd, short what, void *arg)
{
	pay(arg);
}

static const struct fb_vnc_ops viewers = {
	.key = on_key,
	.pointer = on_pointer,
	.came = on_came,
	.left = on_left,
};

/* --- life ----------------------------------------------------------------------------------- */

static int open_vnc(struct backend *be)
{
	struct fbback *f = be->dev;
	char address[SCREEN_ADDRESS_MAX + 1] = SCREEN_ADDRESS;
	uint64_t display, before;
	bool any, again;
	int rc;

	rc = store_read_str(be->xs, be->path, "vnclisten", address, sizeof(address));
	if (rc == 0 || rc == -ENOENT)
		rc = store_read_str(be->xs, be->path, "vncpasswd", f->password,
				    sizeof(f->password));
	if (rc < 0 && rc != -ENOENT) {
		backend_fail(be, "vnclisten or vncpasswd is longer than it may be");
		return -EINVAL;
	}
	if (!f->password[0] && !screen_is_local(address)) {
		backend_fail(be, "vnclisten=%s without vncpasswd: anybody on the network could use "
			     "the screen", address);
		return -EINVAL;
	}
	any = store_read_num(be->xs, be->path, "vncdisplay", SCREEN_DISPLAYS - 1, &display) < 0;
	again = store_read_num(be->xs, be->path, "vnc-port", UINT16_MAX, &before) == 0 &&
		before >= SCREEN_PORT && before < SCREEN_PORT + SCREEN_DISPLAYS;
	rc = fb_vnc_open(&f->vnc, address, any ? -1 : (int)display,
			 again ? (int)(before - SCREEN_PORT) : -1, f->password, f->title, &f->port);
	if (rc < 0)
		backend_fail(be, "cannot listen for viewers at %s port %u: %s", address, f->port,
			     strerror(-rc));
	/* A successor offers nothing anew, and the port may be another's by now. */
	if (rc == 0 && again && f->port != before)
		rc = store_write(be->xs, XBT_NULL, be->path, "vnc-port", "%u", f->port);
	return rc == -EADDRINUSE ? -EINVAL : rc;
}

static int fb_prepare(struct backend *be)
{
	struct fbback *f = &fbback;
	char domain[64];

	be->dev = f;
	f->kept = (struct kept *)((char *)be->journal.page + JOURNAL_HEAD);
	f->vnc.ops = &viewers;
	f->vnc.arg = f;
	f->vnc.listening = -1;
	f->in.put = put_event;
	f->in.held = &f->kept->held;
	snprintf(domain, sizeof(domain), "/local/domain/%u", be->domid);
	if (store_read_str(be->xs, domain, "name", f->title, sizeof(f->title)) < 0)
		snprintf(f->title, sizeof(f->title), "domain %u", be->domid);
	f->input = input_pipe_open(be->domid, true);
	if (f->input < 0) {
		backend_fail(be, "no way to the keyboard: %s", strerror(-f->input));
		return f->input;
	}
	f->map = fb_map_open(be->domid);
	if (!f->map) {
		backend_fail(be, "cannot map memory of domain %u alone (/dev/xen/privcmd): %s",
			     be->domid, strerror(errno));
		return -EINVAL;
	}
	return open_vnc(be);
}

static int fb_offer(struct backend *be, xs_transaction_t t)
{
	struct fbback *f = be->dev;
	int rc = store_write(be->xs, t, be->path, "request-update", "1");

	f->kept->valid = 0;
	if (rc == 0)
		rc = store_write(be->xs, t, be->path, "feature-resize", "1");
	if (rc == 0)
		rc = store_write(be->xs, t, be->path, "vnc-port", "%u", f->port);
	return rc;
}

static void *fb_map_ring(struct backend *be, uint32_t ref)
{
	struct fbback *f = be->dev;

	return fb_map_page(f->map, ref);
}

static void fb_unmap_ring(struct backend *be, void *page)
{
	struct fbback *f = be->dev;

	fb_map_page_end(f->map, page);
}

/* The picture that the page says; a successor's is the one its predecessor knew. */
static int take_shape(struct backend *be)
{
	struct fbback *f = be->dev;
	int rc;

	if (be->resumed && f->kept->valid)
		return fb_shape_check(&f->kept->shape, f->kept->bytes);
	f->kept->valid = 0;
	rc = fb_ring_shape(be->ring_page[0], &f->kept->shape, &f->kept->bytes);
	f->kept->valid = rc == 0;
	return rc;
}

static int fb_connect(struct backend *be)
{
	struct fbback *f = be->dev;
	uint64_t number, port;
	struct backend_queue queue;
	/* A frame's number, which is below 2^32 on machines of less than 16 TiB. */
	int rc = store_read_num(be->xs, be->frontend, "page-ref", UINT32_MAX, &number);

	if (rc == 0)
		rc = store_read_num(be->xs, be->frontend, "event-channel", UINT32_MAX, &port);
	if (rc < 0)
		return rc;
	f->updates = store_read_bool(be->xs, be->frontend, "feature-update", false);
	queue = (struct backend_queue){ { (uint32_t)number }, (uint32_t)port };
	rc = backend_attach(be, &queue, 1, 1);
	if (rc == 0)
		rc = take_shape(be);
	if (rc == 0)
		rc = fb_vnc_resize(&f->vnc, f->kept->shape.width, f->kept->shape.height);
	if (rc < 0)
		return rc;
	f->memory = fb_map_memory(f->map, be->ring_page[0], f->kept->bytes);
	if (!f->memory)
		return -errno;
	all_changed(f, &f->kept->shape);
	return 0;
}

static void fb_disconnect(struct backend *be)
{
	struct fbback *f = be->dev;

	fb_map_memory_end(f->map, f->memory, f->kept->bytes);
	f->memory = NULL;
	f->nr_rects = 0;
	f->kept->valid = 0;
}

static int fb_start(struct backend *be, struct event_base *base)
{
	struct fbback *f = be->dev;

	f->period = evtimer_new(base, on_period, f);
	f->room = event_new(base, f->input, EV_WRITE, on_room, f);
	if (!f->room)
		return -ENOMEM;
	/* The viewers of a process that was killed are gone. */
	fb_input_release(&f->in);
	return f->period ? fb_vnc_start(&f->vnc, base) : -ENOMEM;
}

static void fb_fini(struct backend *be)
{
	struct fbback *f = be->dev;

	if (!f)
		return;
	fb_vnc_close(&f->vnc);
	if (f->map)
		fb_map_close(f->map);
	if (f->input >= 0)
		close(f->input);
}

/*
 * Viewers are accepted, take the place of what stands for them (fb_vnc.c), and are asked who they
 * are; the guest's memory is mapped when it connects.
 */
static const int more_calls[] = { SCMP_SYS(accept4),	SCMP_SYS(getpeername), SCMP_SYS(select),
				  SCMP_SYS(pselect6),	SCMP_SYS(dup3),	       SCMP_SYS(setitimer),
				  -1 };
static const unsigned int more_ioctls[] = { IOCTL_PRIVCMD_MMAPBATCH_V2, SIOCOUTQ, 0 };
static const struct confine_more more_of_screens = { more_calls, more_ioctls, .nodelay = true };

static const struct backend_ops fb_ops = {
	.name = "fbback",
	.type = "vfb",
	.journal_extra = sizeof(struct kept),
	.has_frontend = true,
	.more = &more_of_screens,
	.prepare = fb_prepare,
	.offer = fb_offer,
	.connect = fb_connect,
	.map = fb_map_ring,
	.unmap = fb_unmap_ring,
	.disconnect = fb_disconnect,
	.work = fb_work,
	.start = fb_start,
	.fini = fb_fini,
};

int main(int argc, char **argv)
{
	return backend_main(argc, argv, &fb_ops);
}
