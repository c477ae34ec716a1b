/* SPDX-License-Identifier: MIT */
/*
 * blkback.c - block backend process: one virtual disk of one guest, on a raw file or a device.
 *
 * Owns the record's keys params, type, mode, lock and the features offered to the frontend; the
 * requests are blk_ring.c's, the image blk_image.c's, doing I/O blk_io.c's.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

#include <log.h>

#include "backend_main.h"
#include "blk_ring.h"

/* A rebooting guest's old disk process may need a moment to let go of the image. */
#define LOCK_TRIES 20
#define LOCK_WAIT_US 100000

struct blkback {
	struct blk_image image;
	struct blk_io *io;
	struct event *done; /* some of io's operations ended */
	struct blk_ring *engine;
};

static struct blkback blkback; /* the one disk of this process */

static int read_record(struct backend *be, char *path, size_t len, bool *readonly, bool *shared)
{
	char mode[8] = "r";

	if (store_read_str(be->xs, be->path, "params", path, len) < 0 || path[0] != '/') {
		backend_fail(be, "the disk has no image: target= must be an absolute path");
		return -EINVAL;
	}
	store_read_str(be->xs, be->path, "mode", mode, sizeof(mode));
	*readonly = mode[0] != 'w';
	*shared = !store_read_bool(be->xs, be->path, "lock", true) || !strcmp(mode, "w!");
	return 0;
}

static int blk_prepare(struct backend *be)
{
	char path[1024], why[1200];
	bool readonly, shared;
	int rc = read_record(be, path, sizeof(path), &readonly, &shared);

	if (rc < 0)
		return rc;
	be->dev = &blkback;
	for (int i = 0; i < LOCK_TRIES; i++) {
		rc = blk_image_open(&blkback.image, path, readonly, shared, why, sizeof(why));
		if (rc != -EAGAIN)
			break;
		usleep(LOCK_WAIT_US);
	}
	if (rc < 0) {
		backend_fail(be, "%s", why);
		return -EINVAL;
	}
	blkback.io = blk_io_open(blkback.image.fd, false);
	if (!blkback.io)
		return -errno;
	log_info("%s: %s by %s%s", be->path, path, blk_io_name(blkback.io),
		 blkback.image.direct ? ", direct" : "");
	blkback.engine = blk_ring_create(&blkback.image, blkback.io, be->gnt, be->domid);
	return blkback.engine ? 0 : -ENOMEM;
}

static int blk_offer(struct backend *be, xs_transaction_t t)
{
	struct blkback *b = be->dev;
	const struct {
		const char *key;
		unsigned long long value;
	} keys[] = {
		{"feature-flush-cache", 1},
		{"feature-barrier", 0},
		{"feature-persistent", 0},
		{"feature-max-indirect-segments", BLK_MAX_SEGMENTS},
		{"max-ring-page-order", 0},
		{"feature-discard", b->image.can_discard},
		{"discard-granularity", 4096},
		{"discard-alignment", 0},
		{"discard-secure", 0},
		{"sectors", b->image.sectors},
		{"sector-size", BLK_SECTOR},
		{"physical-sector-size", b->image.physical_sector},
		{"info", b->image.readonly ? VDISK_READONLY : 0},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = store_write(be->xs, t, be->path, keys[i].key, "%llu", keys[i].value);
	return rc;
}

static const struct blk_wire *read_protocol(struct backend *be)
{
	char proto[32];
	int rc = store_read_str(be->xs, be->frontend, "protocol", proto, sizeof(proto));

	if (rc == -ENOENT) /* old frontends: the machine's own layout */
		return &blk_wire64;
	if (rc < 0)
		return NULL;
	if (!strcmp(proto, XEN_IO_PROTO_ABI_X86_64))
		return &blk_wire64;
	return strcmp(proto, XEN_IO_PROTO_ABI_X86_32) ? NULL : &blk_wire32;
}

static int blk_connect(struct backend *be)
{
	struct blkback *b = be->dev;
	const struct blk_wire *wire;
	uint64_t ref, port, order = 0;
	uint32_t ring_ref;
	int rc;

	wire = read_protocol(be);
	if (!wire)
		return -EPROTONOSUPPORT;
	rc = store_read_num(be->xs, be->frontend, "ring-page-order", 32, &order);
	if ((rc < 0 && rc != -ENOENT) || order != 0)
		return -EINVAL;
	rc = store_read_num(be->xs, be->frontend, "ring-ref", UINT32_MAX, &ref);
	if (rc == 0)
		rc = store_read_num(be->xs, be->frontend, "event-channel", UINT32_MAX, &port);
	if (rc < 0)
		return rc;
	ring_ref = (uint32_t)ref;
	rc = backend_attach(be, &ring_ref, 1, (uint32_t)port);
	if (rc < 0)
		return rc;
	return blk_ring_attach(b->engine, wire, be->ring_page[0], backend_record(be, 0),
			       (struct bring_table *)((char *)be->journal.page + JOURNAL_HEAD),
			       be->resumed);
}

/* Linux's frontend looks at the size again when the state is written, though it stays the same. */
static void tell_size(struct backend *be)
{
	struct blkback *b = be->dev;
	int rc = store_write(be->xs, XBT_NULL, be->path, "sectors", "%llu",
			     (unsigned long long)b->image.sectors);

	if (rc == 0)
		rc = store_write(be->xs, XBT_NULL, be->path, "state", "%d", be->state);
	log_info("%s: the image has %llu sectors now%s%s", be->path,
		 (unsigned long long)b->image.sectors, rc ? ": " : "", rc ? strerror(-rc) : "");
}

static int blk_work(struct backend *be)
{
	struct blkback *b = be->dev;
	bool notify;
	int rc = blk_ring_work(b->engine, &notify);

	if (notify)
		backend_notify(be);
	if (rc >= 0 && blk_image_resized(&b->image))
		tell_size(be);
	return rc;
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	backend_kick(arg);
}

static int blk_start(struct backend *be, struct event_base *base)
{
	struct blkback *b = be->dev;

	b->done = event_new(base, blk_io_fd(b->io), EV_READ | EV_PERSIST, on_done, be);
	return b->done && event_add(b->done, NULL) == 0 ? 0 : -ENOMEM;
}

static void blk_disconnect(struct backend *be)
{
	struct blkback *b = be->dev;

	blk_ring_stop(b->engine);
	if (!backend_may_log(be))
		return;
	log_info("%s: %llu requests, %llu failed, at most %u at once", be->path,
		 (unsigned long long)b->engine->nr_requests,
		 (unsigned long long)b->engine->nr_errors, b->engine->most_at_once);
}

static void blk_fini(struct backend *be)
{
	if (!be->dev)
		return;
	if (blkback.engine)
		blk_ring_stop(blkback.engine);
	blk_ring_destroy(blkback.engine);
	blk_io_close(blkback.io);
	blk_image_close(&blkback.image);
}

static const struct backend_ops blk_ops = {
	.name = "blkback",
	.type = "vbd",
	.journal_extra = sizeof(struct bring_table),
	.has_frontend = true,
	.prepare = blk_prepare,
	.offer = blk_offer,
	.connect = blk_connect,
	.disconnect = blk_disconnect,
	.work = blk_work,
	.start = blk_start,
	.fini = blk_fini,
};

int main(int argc, char **argv)
{
	return backend_main(argc, argv, &blk_ops);
}
