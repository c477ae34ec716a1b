/* SPDX-License-Identifier: MIT */
/*
 * blk_nbd_io.c - block I/O over a connection of libnbd's: see blk_nbd_io.h.
 *
 * A write is told as done when the log has it too. The log is flushed by us when it is half full,
 * and what finds no room in it waits for that flush. Once the connection is dead nothing more is
 * told: the library ends what is out with errors that are none of the disk's.
 */
#include "blk_nbd_io.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <log.h>

#include "blk_log.h"

#define OWN BLK_IO_DEPTH	 /* the slot of our own flush */
#define TRIM_MAX (1ull << 30)	 /* bytes in one request; its field has 32 bits */
#define CLOSE_MS 5000		 /* of silence, at the last flush */
#define OWN_END_MS 500		 /* for a server of ours that is gone already to have ended */
#define DATA_MAX (32ull << 20)	 /* the protocol's, where the server names none */

/* First in, first out; never more than one entry a tag. */
struct tags {
	unsigned int head, nr;
	uint32_t at[BLK_IO_DEPTH + 1];
};

struct slot {
	struct nbd *n;
	struct blk_io_op op;
	uint64_t part;	/* bytes of what is out of it */
	uint64_t mark;	/* of a flush: the log's end when it began */
	int32_t res;
};

struct nbd {
	struct blk_io io;
	const struct nbd_lib *lib;
	struct nbd_handle *h;
	int poll, watched; /* an epoll on the connection, for what it is */
	uint64_t data_max;
	bool can_flush;
	void (*lost)(const char *why); /* NULL: not yet */
	void (*lost_later)(const char *why);
	bool dead;
	struct blk_server server; /* if it is ours */
	struct blk_log log;
	bool flushing; /* OWN is out */
	bool refused;  /* it failed, and nothing was written since */
	struct slot slot[BLK_IO_DEPTH + 1];
	struct tags ended; /* not looked at */
	struct tags held;  /* writes that wait for room in the log */
	struct tags told;  /* for blk_io_reap() */
};

static void push(struct tags *t, uint32_t tag)
{
	t->at[(t->head + t->nr++) % (BLK_IO_DEPTH + 1)] = tag;
}

static uint32_t pop(struct tags *t)
{
	uint32_t tag = t->at[t->head];

	t->head = (t->head + 1) % (BLK_IO_DEPTH + 1);
	t->nr--;
	return tag;
}

static void gone(struct nbd *n, const char *why)
{
	char said[512] = "", both[1024];

	n->dead = true;
	if (!n->lost)
		return;
	/* One of ours is on its way out, and may say more. */
	blk_server_last_words(&n->server, OWN_END_MS, said, sizeof(said));
	snprintf(both, sizeof(both), "%s%s%s", why, said[0] ? ": " : "", said);
	n->lost(both);
}

/* The library calls it inside of its own functions: nothing is done here. */
static int on_end(void *arg, int *error)
{
	struct slot *s = arg;

	s->res = *error ? -*error : (int32_t)s->part;
	push(&s->n->ended, (uint32_t)(s - s->n->slot));
	return 1;
}

/* Has the rest of @tag's operation, or as much of it as goes at once, under way. */
static void issue(struct nbd *n, uint32_t tag)
{
	struct slot *s = &n->slot[tag];
	const struct blk_io_op *op = &s->op;
	const nbd_completion_callback cb = { .callback = on_end, .user_data = s };
	uint64_t max = op->kind == BLK_IO_PUNCH ? TRIM_MAX : n->data_max;
	int64_t rc = 0;

	s->part = op->len < max ? op->len : max;
	switch (op->kind) {
	case BLK_IO_READ:
		rc = n->lib->nbd_aio_pread(n->h, op->buf, s->part, op->offset, cb, 0);
		break;
	case BLK_IO_WRITE:
		rc = n->lib->nbd_aio_pwrite(n->h, op->buf, s->part, op->offset, cb, 0);
		break;
	case BLK_IO_PUNCH:
		rc = n->lib->nbd_aio_trim(n->h, s->part, op->offset, cb, 0);
		break;
	case BLK_IO_SYNC:
	case BLK_IO_KINDS:
	default:
		s->part = 0;
		s->mark = n->log.head ? blk_log_mark(&n->log) : 0;
		if (n->can_flush)
			rc = n->lib->nbd_aio_flush(n->h, cb, 0);
		else /* what is acknowledged is safe */
			on_end(s, &(int){ 0 });
		break;
	}
	if (rc < 0) {
		s->res = -EIO;
		push(&n->ended, tag);
	}
}

static void start_own_flush(struct nbd *n)
{
	n->flushing = true;
	n->slot[OWN].op = (struct blk_io_op){ .kind = BLK_IO_SYNC, .tag = OWN };
	issue(n, OWN);
}

/* What had no room in the log, and a flush could make none: it may be lost, and is not done. */
static void fail_held(struct nbd *n, int32_t res)
{
	while (n->held.nr) {
		uint32_t tag = pop(&n->held);

		n->slot[tag].res = res;
		push(&n->told, tag);
	}
}

static void look_at(struct nbd *n, uint32_t tag)
{
	struct slot *s = &n->slot[tag];

	if (s->op.kind == BLK_IO_SYNC && s->res == 0 && n->log.head)
		blk_log_flushed(&n->log, s->mark);
	if (tag == OWN) {
		n->flushing = false;
		n->refused = s->res < 0;
		if (n->refused)
			fail_held(n, s->res);
		return;
	}
	if (s->op.kind == BLK_IO_WRITE && s->res > 0 && n->log.head) {
		n->refused = false;
		push(&n->held, tag);
		return;
	}
	push(&n->told, tag);
}

/* A discard goes on until all of it is done; who asked knows no part of one. */
static bool goes_on(struct nbd *n, uint32_t tag)
{
	struct slot *s = &n->slot[tag];

	if (s->op.kind != BLK_IO_PUNCH || s->res < 0)
		return false;
	s->res = 0;
	if (s->part == s->op.len)
		return false;
	s->op.offset += s->part;
	s->op.len -= s->part;
	issue(n, tag);
	return true;
}

static void keep_held(struct nbd *n)
{
	while (n->held.nr) {
		uint32_t tag = n->held.at[n->held.head];
		const struct slot *s = &n->slot[tag];

		if (!blk_log_has_room(&n->log, (uint64_t)s->res))
			break;
		blk_log_add(&n->log, s->op.offset, s->op.buf, (uint64_t)s->res);
		push(&n->told, pop(&n->held));
	}
	if (n->log.head && !n->flushing && !n->refused &&
	    (n->held.nr || blk_log_used(&n->log) > BLK_LOG_BYTES / 2))
		start_own_flush(n);
}

static bool is_gone(struct nbd *n)
{
	if (!n->dead && (n->lib->nbd_aio_is_dead(n->h) || n->lib->nbd_aio_is_closed(n->h)))
		gone(n, nbd_lib_error(n->lib));
	return n->dead;
}

/* The connection may end in whatever is issued here, and its descriptor then wakes nobody. */
static void settle(struct nbd *n)
{
	while (!is_gone(n) && n->ended.nr) {
		uint32_t tag = pop(&n->ended);

		if (n->slot[tag].res == -ESHUTDOWN) {
			gone(n, "the server is shutting down");
			return;
		}
		if (!goes_on(n, tag))
			look_at(n, tag);
	}
	if (!n->dead)
		keep_held(n);
	is_gone(n);
}

/* What the library waits for now is what the descriptor tells of. */
static void watch(struct nbd *n)
{
	unsigned int to = n->lib->nbd_aio_get_direction(n->h);
	struct epoll_event ev = { .events = (to & LIBNBD_AIO_DIRECTION_READ ? EPOLLIN : 0u) |
					    (to & LIBNBD_AIO_DIRECTION_WRITE ? EPOLLOUT : 0u) };

	if (n->watched == (int)ev.events || n->dead)
		return;
	if (epoll_ctl(n->poll, n->watched < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
		      n->lib->nbd_aio_get_fd(n->h), &ev) == 0)
		n->watched = (int)ev.events;
}

static void move(struct nbd *n)
{
	/* It wants to be told only of what is so: a read that finds nothing stops its writes. */
	while (n->lib->nbd_poll(n->h, 0) > 0)
		;
	settle(n);
	watch(n);
}

/* --- blk_io.h ------------------------------------------------------------------------------- */

static int nbd_fd(const struct blk_io *io)
{
	return ((const struct nbd *)io)->poll;
}

static void nbd_add(struct blk_io *io, const struct blk_io_op *op)
{
	struct nbd *n = (struct nbd *)io;

	n->slot[op->tag].op = *op;
	issue(n, op->tag);
}

static int nbd_start(struct blk_io *io)
{
	struct nbd *n = (struct nbd *)io;

	settle(n);
	watch(n);
	return 0;
}

static unsigned int nbd_reap(struct blk_io *io, struct blk_io_done *done, unsigned int max)
{
	struct nbd *n = (struct nbd *)io;
	unsigned int nr = 0;

	if (!n->dead)
		move(n);
	while (nr < max && n->told.nr && !n->dead) {
		uint32_t tag = pop(&n->told);

		done[nr++] = (struct blk_io_done){ tag, n->slot[tag].res };
	}
	return nr;
}

/*
 * One operation, alone. Its result; -EIO of a connection that ended; -ETIMEDOUT: silence for @ms.
 */
static int32_t one(struct nbd *n, const struct blk_io_op *op, int ms)
{
	struct blk_io_done done;

	nbd_add(&n->io, op);
	nbd_start(&n->io);
	while (!n->dead) {
		if (nbd_reap(&n->io, &done, 1))
			return done.res;
		if (!n->dead && !blk_io_wait_ms(&n->io, ms) && ms >= 0)
			return -ETIMEDOUT;
	}
	return -EIO;
}

/* It ends with its connection; until then it may have to write what the format needs. */
static void end_own_server(struct nbd *n)
{
	char said[512];

	if (n->server.says >= 0 && !blk_server_last_words(&n->server, CLOSE_MS, said, sizeof(said)))
		log_warnx("a disk's server did not end in time%s%s", said[0] ? ": " : "", said);
	blk_server_close(&n->server);
}

static void nbd_close_io(struct blk_io *io)
{
	const struct blk_io_op sync = { .kind = BLK_IO_SYNC };
	struct nbd *n = (struct nbd *)io;
	int32_t rc = 0;

	/* Nobody comes after us: what is not flushed now, nothing remembers. */
	n->lost = NULL;
	if (n->log.head && blk_log_used(&n->log) && !n->dead)
		rc = one(n, &sync, CLOSE_MS);
	if (rc < 0)
		log_warnx("the last writes to a disk were not flushed: its server %s",
			  n->dead ? "is gone" : rc == -ETIMEDOUT ? "does not answer" : "refused it");
	if (!n->dead)
		n->lib->nbd_aio_disconnect(n->h, 0);
	blk_log_close(&n->log);
	n->lib->nbd_close(n->h);
	end_own_server(n);
	if (n->poll >= 0)
		close(n->poll);
	free(n);
}

struct blk_io *blk_nbd_io_open(const struct nbd_lib *lib, struct nbd_handle *h,
			       void (*lost)(const char *why))
{
	struct nbd *n = calloc(1, sizeof(*n));
	int64_t max = lib->nbd_get_block_size(h, LIBNBD_SIZE_MAXIMUM);

	if (!n) {
		lib->nbd_close(h);
		return NULL;
	}
	*n = (struct nbd){ .io = { .way = &blk_io_nbd }, .lib = lib, .h = h, .watched = -1,
			   .lost_later = lost, .server = BLK_SERVER_NONE };
	n->can_flush = lib->nbd_can_flush(h) == 1;
	n->data_max = max >= 4096 && max < (int64_t)DATA_MAX ? (uint64_t)max : DATA_MAX;
	for (unsigned int i = 0; i <= BLK_IO_DEPTH; i++)
		n->slot[i].n = n;
	n->poll = epoll_create1(EPOLL_CLOEXEC);
	if (n->poll < 0) {
		int err = errno;

		nbd_close_io(&n->io);
		errno = err;
		return NULL;
	}
	watch(n);
	return &n->io;
}

/* --- what was there before ------------------------------------------------------------------ */

static int redo(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	struct blk_io_op part = { .kind = BLK_IO_WRITE, .buf = buf, .len = len, .offset = offset };

	while (part.len) {
		int32_t res = one(arg, &part, -1);

		if (res <= 0)
			return res ? res : -EIO;
		part.buf = (char *)part.buf + res;
		part.offset += (uint32_t)res;
		part.len -= (uint32_t)res;
	}
	return 0;
}

static int redo_all(struct nbd *n, const struct blk_log *log)
{
	const struct blk_io_op sync = { .kind = BLK_IO_SYNC };
	void *buf = malloc(BLK_LOG_BYTES);
	int rc = buf ? blk_log_each(log, buf, redo, n) : -ENOMEM;

	free(buf);
	return rc < 0 ? rc : one(n, &sync, -1);
}

int blk_nbd_io_keep(struct blk_io *io, const char *file, const char *name, bool resume)
{
	struct nbd *n = (struct nbd *)io;
	struct blk_log log;
	int rc = blk_log_open(&log, file, name);

	if (rc == 0 && resume && blk_log_used(&log)) {
		rc = redo_all(n, &log);
		if (rc == 0)
			log_info("%s: %llu bytes that were not flushed were written again", name,
				 (unsigned long long)blk_log_used(&log));
	}
	if (rc < 0) {
		blk_log_close(&log);
		return rc;
	}
	blk_log_drop(&log);
	if (n->can_flush)
		n->log = log;
	else /* what is acknowledged is safe from here on */
		blk_log_close(&log);
	return 0;
}

void blk_nbd_io_abandon(struct blk_io *io)
{
	struct nbd *n = (struct nbd *)io;

	n->lost = NULL;
	n->dead = true;
	blk_server_close(&n->server);
	/* Whatever it still says wakes nobody. */
	epoll_ctl(n->poll, EPOLL_CTL_DEL, n->lib->nbd_aio_get_fd(n->h), NULL);
}

void blk_nbd_io_own_server(struct blk_io *io, struct blk_server *s)
{
	struct nbd *n = (struct nbd *)io;

	n->server.says = s->says;
	s->says = -1;
	s->pid = 0; /* this process will not be one that may kill */
}

void blk_nbd_io_serve(struct blk_io *io)
{
	struct nbd *n = (struct nbd *)io;

	n->lost = n->lost_later;
}

const struct blk_io_way blk_io_nbd = {
	.name = "libnbd",
	.close = nbd_close_io,
	.fd = nbd_fd,
	.add = nbd_add,
	.start = nbd_start,
	.reap = nbd_reap,
};
