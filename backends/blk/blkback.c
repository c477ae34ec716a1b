/* SPDX-License-Identifier: MIT */
/*
 * blkback.c - block backend process: one virtual disk of one guest, on a raw file, a device, an
 * image of another format or a disk of another machine.
 *
 * Owns the features offered to the frontend; what dom0 wants is blk_record.c's, the requests are
 * blk_ring.c's, the image blk_image.c's, or its server's blk_nbd.c's, doing I/O blk_io.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <event2/event.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

#include <log.h>

#include "backend_main.h"
#include "blk_nbd.h"
#include "blk_nbd_io.h"
#include "blk_record.h"
#include "blk_queues.h"
#include "disk_script.h"
#include "queues.h"

/* A rebooting guest's old disk process may need a moment to let go of the image. */
#define LOCK_TRIES 20
/* One whose server says nothing needs longer: backendd ends it when its device is gone for 5 s. */
#define LOCK_TRIES_REMOTE 70
#define LOCK_WAIT_US 100000
#define SERVER_WAIT_US 200000 /* between tries to reach a disk's server again */
#define CLOSE_MS 5000 /* so long a server may say nothing to a device that is to go */
#define CLOSE_LOOK_MS 100
#define WHY_LEN 1400

struct blkback {
	struct backend *be;
	struct blk_record record;
	struct blk_image image;
	struct blk_queues queues;
	char drain[40];	  /* the token of dom0's drain=, if that is there */
	char syncing[40]; /* under which a flush was begun */
	char answered[40]; /* under which one has ended */
	struct event *lent; /* looks for it again */
};

static struct blkback blkback; /* the one disk of this process */

/*
 * --- a disk with a server ----------------------------------------------------------------------
 */

static bool was_offered(struct backend *be)
{
	char status[16];

	return store_read_str(be->xs, be->path, "hotplug-status", status, sizeof(status)) == 0 &&
	       !strcmp(status, "connected");
}

/* In the log once, and in the store. */
static void say_waiting(struct backend *be, const char *why)
{
	char said[WHY_LEN] = "";

	store_read_str(be->xs, be->path, "error", said, sizeof(said));
	if (!strcmp(said, why))
		return;
	log_warnx("%s: requests wait: %s", be->path, why);
	store_write(be->xs, XBT_NULL, be->path, "error", "%s", why);
}

/* The guest's requests stay where they are: in the ring and in the journal. */
static void on_lost(const char *why)
{
	char text[WHY_LEN];

	snprintf(text, sizeof(text), "disk %s: %s", blkback.record.name, why);
	say_waiting(blkback.be, text);
	_exit(BACKEND_EXIT_RETRY);
}

/* Waits a moment. 0; -ENOENT, -ECANCELED: the device goes; -EIO: so has the store. */
static int wait_for_server(struct backend *be, const char *why)
{
	int has = store_has(be->xs, be->path);

	if (has <= 0)
		return has ? -EIO : -ENOENT;
	if (!store_read_bool(be->xs, be->path, "online", true))
		return -ECANCELED;
	say_waiting(be, why);
	usleep(SERVER_WAIT_US);
	return 0;
}

/*
 * A new device's server is there or the device is refused. One that a guest has been offered is
 * waited for: until it is there, or the device is to go.
 */
static int open_served(struct backend *be, const struct blk_record *w, char *why, size_t len)
{
	bool offered = was_offered(be);
	char log_file[sizeof(be->journal_path) + 8];
	const struct blk_server_want server = { .image = w->name, .format = w->format,
						.backing = w->backing, .readonly = w->readonly,
						.cache = w->cache, .user = be->user };
	struct blk_nbd_want want = { .name = w->name, .readonly = w->readonly,
				     .server = blk_record_has_own_server(w) ? &server : NULL,
				     .shared = w->shared, .resume = offered,
				     .dir = journal_dir(), .log = log_file, .lost = on_lost };
	int rc;

	journal_log_name(log_file, sizeof(log_file), be->journal_path);
	if (offered)
		store_read_num(be->xs, be->path, "sectors", UINT64_MAX, &want.least_sectors);
	do {
		rc = blk_nbd_open(&blkback.image, &blkback.queues.queue[0].io, &want, why, len);
		if (rc == 0)
			break;
		if (!offered)
			return rc;
		rc = wait_for_server(be, why);
	} while (rc == 0);
	if (rc == 0 && offered)
		store_write(be->xs, XBT_NULL, be->path, "error", "%s", "");
	return rc;
}

/* --- the device ------------------------------------------------------------------------------ */

static bool is_in_use(struct backend *be)
{
	uint64_t state;

	return store_read_num(be->xs, be->path, "state", UINT32_MAX, &state) == 0 &&
	       state == XenbusStateConnected;
}

/*
 * A guest that was told that there is nothing to flush sends no flush, whatever has changed since
 * the process before this one: how the device caches, how it can be opened, or its record.
 */
static bool guest_flushes(struct backend *be)
{
	return store_read_bool(be->xs, be->path, "feature-flush-cache", true);
}

static int open_image(struct backend *be, const struct blk_record *w, char *why, size_t len)
{
	struct blk_image_want want = { .path = w->name, .readonly = w->readonly, .shared = w->shared,
				       .lock_later = w->lock_comes, .cache = w->cache };

	if (blk_record_has_server(w))
		return open_served(be, w, why, len);
	want.in_use = is_in_use(be);
	want.sync = want.in_use && w->cache != DISK_CACHE_UNSAFE && !guest_flushes(be);
	return blk_image_open(&blkback.image, &want, why, len);
}

/* An image that only one domain is to have. */
static bool has_lock(const struct blk_record *w)
{
	return !w->shared && !blk_record_has_server(w);
}

/* The disk of a script is the device that it makes. */
static int make_disk(struct backend *be, struct blk_record *w)
{
	char device[sizeof(w->name)] = "", why[WHY_LEN];
	unsigned int domid, devid;
	struct disk_script s;
	int rc;

	if (sscanf(be->path, "/local/domain/0/backend/vbd/%u/%u", &domid, &devid) != 2)
		return -EINVAL;
	rc = disk_script_of(&s, w->name, domid, devid);
	if (rc == -ENOENT)
		return 0;
	s.readonly = w->readonly;
	if (rc < 0)
		snprintf(why, sizeof(why), "'%s' is no name of a script and what it is to make", w->name);
	else
		rc = disk_script_add(&s, device, sizeof(device), why, sizeof(why));
	/* The rest passes: a guest's disk must not stay dead because the store was away. */
	if (rc == -EINVAL)
		backend_fail(be, "%s", why);
	if (rc < 0)
		return rc;
	memcpy(w->name, device, sizeof(w->name));
	return 0;
}

static int blk_prepare(struct backend *be)
{
	char why[WHY_LEN];
	struct blk_record *w = &blkback.record;
	int rc = blk_record_read(be, w);

	if (rc == 0)
		rc = make_disk(be, w);
	if (rc < 0)
		return rc;
	be->dev = &blkback;
	blkback.be = be;
	for (int i = 0; i < (blk_record_has_server(w) ? LOCK_TRIES_REMOTE : LOCK_TRIES); i++) {
		rc = open_image(be, w, why, sizeof(why));
		if (rc != -EAGAIN)
			break;
		usleep(LOCK_WAIT_US);
	}
	if (rc == -ENOENT || rc == -EIO)
		return rc;
	if (rc < 0) {
		backend_fail(be, "%s", why);
		return -EINVAL;
	}
	/* A server has one connection, on which as much is out as one ring asks for. */
	rc = blk_queues_make(&blkback.queues, blk_record_has_server(w) ? 1 : queues_to_offer(be),
			     &blkback.image, be);
	if (rc == 0)
		log_info("%s: %s by %s%s", be->path, w->name, blk_io_name(blkback.queues.queue[0].io),
			 blkback.image.direct ? ", direct" : "");
	return rc;
}

static bool has_key(struct backend *be, const char *key)
{
	char word[8];

	return store_read_str(be->xs, be->path, key, word, sizeof(word)) != -ENOENT;
}

/*
 * A disk of libxl's names a script, which libxl runs when the device is offered; Debian's refuses a
 * device that a running guest has connected by then. At its end it says which device of dom0's the
 * disk is.
 */
static bool blk_may_connect(struct backend *be)
{
	return !has_key(be, "script") || has_key(be, "physical-device");
}

static int blk_offer(struct backend *be, xs_transaction_t t)
{
	struct blkback *b = be->dev;
	const struct {
		const char *key;
		unsigned long long value;
	} keys[] = {
		{ "feature-flush-cache", b->image.needs_flush },
		{ "feature-barrier", 0 },
		{ "feature-persistent", 0 },
		{ "feature-max-indirect-segments", BLK_MAX_SEGMENTS },
		{ "max-ring-page-order", 0 },
		{ "feature-discard", b->image.can_discard },
		{ "discard-granularity", 4096 },
		{ "discard-alignment", 0 },
		{ "discard-secure", 0 },
		{ "sectors", b->image.sectors },
		{ "sector-size", BLK_SECTOR },
		{ "physical-sector-size", b->image.physical_sector },
		{ "info", b->image.readonly ? VDISK_READONLY : 0 },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
		rc = store_write(be->xs, t, be->path, keys[i].key, "%llu", keys[i].value);
	return rc ? rc : queues_offer(be, t, b->queues.nr);
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

/* While nobody was here to see it. */
static void tell_growth(struct backend *be)
{
	struct blkback *b = be->dev;
	uint64_t known;

	if (store_read_num(be->xs, be->path, "sectors", UINT64_MAX, &known) == 0 &&
	    known != b->image.sectors)
		tell_size(be);
}

/*
 * The image of a guest that comes was opened while the guest wrote to it on another host. What this
 * host's page cache has of it since then, or since an earlier stay (NFS looks whether that is still
 * so when a file is opened), may be older than what is there by now.
 */
static void forget_cached(const struct blkback *b)
{
	if (b->record.lock_comes && !b->image.is_remote)
		posix_fadvise(b->image.fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int blk_connect(struct backend *be)
{
	static const char *const keys[] = { "ring-ref" };
	struct blkback *b = be->dev;
	struct backend_queue queue[JOURNAL_QUEUES];
	const struct blk_wire *wire;
	uint64_t order = 0;
	int rc;

	wire = read_protocol(be);
	if (!wire)
		return -EPROTONOSUPPORT;
	rc = store_read_num(be->xs, be->frontend, "ring-page-order", 32, &order);
	if ((rc < 0 && rc != -ENOENT) || order != 0)
		return -EINVAL;
	rc = queues_read(be, keys, 1, b->queues.nr, queue);
	if (rc > 0)
		rc = backend_attach(be, queue, (unsigned int)rc, 1);
	if (rc == 0)
		rc = blk_queues_attach(&b->queues, be, wire);
	if (rc == 0 && be->resumed)
		tell_growth(be);
	if (rc == 0 && !be->resumed)
		forget_cached(b);
	return rc;
}

/* --- being drained --------------------------------------------------------------------------- */

/*
 * A guest that moves to another host takes the lock along, where a file system has the hosts see
 * each other's: there it could not write before. It is lent: if the guest stays, it is taken back
 * before the first request.
 */
static void lend(struct backend *be)
{
	struct blkback *b = be->dev;

	if (!has_lock(&b->record) || strcmp(b->drain, b->syncing) ||
	    !store_read_bool(be->xs, be->path, "lock-leaves", false))
		return;
	b->image.is_lent = flock(b->image.fd, LOCK_UN) == 0;
}

/* Whether the image's lock is where the guest is not: its requests wait then. */
static bool is_elsewhere(struct backend *be)
{
	static const struct timeval soon = { .tv_usec = LOCK_WAIT_US };
	struct blkback *b = be->dev;
	char text[WHY_LEN];
	int rc;

	if (!b->image.is_lent || b->drain[0])
		return b->image.is_lent;
	rc = blk_image_lock(&b->image);
	if (rc == 0) {
		b->image.is_lent = false;
		store_write(be->xs, XBT_NULL, be->path, "error", "%s", "");
		return false;
	}
	snprintf(text, sizeof(text), "image %s %s", b->record.name,
		 rc == -EWOULDBLOCK ? "is in use by another domain" : strerror(-rc));
	say_waiting(be, text);
	if (b->lent)
		event_add(b->lent, &soon);
	return true;
}

/* Under the token that it was begun for: until then the guest was suspended. */
static void sync_ended(struct backend *be, int rc)
{
	struct blkback *b = be->dev;

	memcpy(b->answered, b->syncing, sizeof(b->answered));
	/* Nothing was written, and iso9660 or squashfs refuse to flush a file. */
	if (b->image.readonly)
		rc = 0;
	if (rc < 0)
		store_write(be->xs, XBT_NULL, be->path, "error", "what was written cannot be "
			    "flushed: %s", strerror(-rc));
	else
		lend(be);
	/* It will not be asked again: nobody is to wait for it. */
	store_write(be->xs, XBT_NULL, be->path, "drained", "%s%s", rc < 0 ? "failed " : "",
		    b->syncing);
	if (rc < 0)
		log_info("%s: cannot be drained: %s", be->path, strerror(-rc));
}

/*
 * Goes as far as it can without waiting: a server that says nothing must not keep this process from
 * the store, nor from the guest if that goes on after all.
 */
static void drain(struct backend *be)
{
	struct blkback *b = be->dev;
	struct blk_ring *first = b->queues.queue[0].engine; /* flushes for all */
	int rc;

	while ((rc = blk_ring_sync_result(first)) != -EINPROGRESS ||
	       (b->drain[0] && strcmp(b->drain, b->answered) &&
		blk_queues_are_idle(&b->queues, be) && blk_ring_sync(first, be->connected))) {
		if (rc != -EINPROGRESS)
			sync_ended(be, rc);
		else
			memcpy(b->syncing, b->drain, sizeof(b->syncing));
	}
}

/* The guest goes on elsewhere, or later: what it wrote is to be where it looks then. */
static void blk_look(struct backend *be)
{
	struct blkback *b = be->dev;
	char token[sizeof(b->drain)];

	if (store_read_str(be->xs, be->path, "drain", token, sizeof(token)) < 0)
		token[0] = '\0';
	memcpy(b->drain, token, sizeof(token));
	/* What is in the ring comes first. */
	if (be->connected)
		backend_kick(be, BACKEND_ALL_QUEUES);
	else
		drain(be);
}

/* --- requests -------------------------------------------------------------------------------- */

static int blk_work(struct backend *be, unsigned int queue)
{
	struct blkback *b = be->dev;
	bool notify;
	int rc;

	if (is_elsewhere(be)) {
		drain(be);
		return 0;
	}
	rc = blk_ring_work(b->queues.queue[queue].engine, &notify);
	if (notify)
		backend_notify(be, queue);
	if (rc >= 0 && blk_image_resized(&b->image))
		tell_size(be);
	if (rc >= 0)
		drain(be);
	return rc;
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct blk_queue *q = arg;
	struct backend *be = blkback.be;

	/* What there is to hear then is the end of a flush, or that a disk's server went. */
	if (!be->connected) {
		blk_ring_reap(q->engine);
		drain(be);
	}
	backend_kick(be, 1u << (q - blkback.queues.queue));
}

static void on_lent(evutil_socket_t fd, short what, void *arg)
{
	backend_kick(arg, (1u << blkback.queues.nr) - 1);
}

static int blk_start(struct backend *be, struct event_base *base)
{
	struct blkback *b = be->dev;

	b->lent = evtimer_new(base, on_lent, be);
	if (!b->lent)
		return -ENOMEM;
	for (unsigned int i = 0; i < b->queues.nr; i++) {
		struct blk_queue *q = &b->queues.queue[i];

		q->done = event_new(base, blk_io_fd(q->io), EV_READ | EV_PERSIST, on_done, q);
		if (!q->done || event_add(q->done, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_to_go(struct backend *be)
{
	int has = store_has(be->xs, be->path);

	if (has <= 0)
		return !has;
	return !store_read_bool(be->xs, be->path, "online", true);
}

/*
 * What a killed process had taken off the rings waits for the lock: another host's guest may write
 * to the image. It is not begun at the end either, and stays in the journal for the next process.
 */
static void leave_requests(struct blkback *b)
{
	for (unsigned int i = 0; b->image.is_lent && i < b->queues.nr; i++)
		blk_ring_leave(b->queues.queue[i].engine);
}

/*
 * Waits for what is out: what a server still has would be done after what somebody else writes
 * next. But one that says nothing keeps no device that is to go, nor whoever wants the disk after
 * it.
 */
static void end_requests(struct backend *be)
{
	struct blkback *b = be->dev;
	uint64_t ended = blk_queues_sum(&b->queues).requests;
	int silent_ms = 0;

	leave_requests(b);
	while (!blk_queues_stop(&b->queues, CLOSE_LOOK_MS)) {
		/* Slow is not silent. */
		if (blk_queues_sum(&b->queues).requests != ended)
			silent_ms = 0;
		ended = blk_queues_sum(&b->queues).requests;
		backend_hear(be);
		if (!b->image.is_remote || !is_to_go(be))
			continue;
		silent_ms += CLOSE_LOOK_MS;
		if (silent_ms < CLOSE_MS)
			continue;
		log_warnx("%s: disk %s: its server says nothing: %u requests are given up with the "
			  "device", be->path, b->record.name, blk_queues_sum(&b->queues).out);
		/* Who has a server has one queue. */
		blk_ring_abandon(b->queues.queue[0].engine);
		blk_nbd_io_abandon(b->queues.queue[0].io);
	}
}

static void blk_disconnect(struct backend *be)
{
	struct blk_sum s;

	end_requests(be);
	if (!backend_may_log(be))
		return;
	s = blk_queues_sum(&blkback.queues);
	log_info("%s: %llu requests, %llu failed, at most %u at once of a ring", be->path,
		 (unsigned long long)s.requests, (unsigned long long)s.errors, s.most_at_once);
}

static void blk_fini(struct backend *be)
{
	if (!be->dev)
		return;
	leave_requests(&blkback);
	blk_queues_drop(&blkback.queues);
	blk_image_close(&blkback.image);
}

static const struct backend_ops blk_ops = {
	.name = "blkback",
	.type = "vbd",
	.journal_extra = JOURNAL_QUEUES * sizeof(struct bring_table),
	.has_frontend = true,
	.prepare = blk_prepare,
	.offer = blk_offer,
	.may_connect = blk_may_connect,
	.connect = blk_connect,
	.disconnect = blk_disconnect,
	.work = blk_work,
	.start = blk_start,
	.look = blk_look,
	.fini = blk_fini,
};

int main(int argc, char **argv)
{
	return backend_main(argc, argv, &blk_ops);
}
