/* SPDX-License-Identifier: MIT */
/*
 * blk_io.h - reads, writes and flushes of one image, many at once.
 *
 * By io_uring where the kernel lets us have one, by a few threads elsewhere. Everything is made
 * before the process gives up its rights: afterwards the ring takes these operations on this one
 * file and nothing else, and no thread is made. No order between operations is kept here.
 */
#ifndef BACKENDS_BLK_IO_H
#define BACKENDS_BLK_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Operations that may be out at once: one for each slot of a ring. */
#define BLK_IO_DEPTH 32

enum blk_io_kind {
	BLK_IO_READ,
	BLK_IO_WRITE,
	BLK_IO_SYNC,  /* what was written before is on stable storage */
	BLK_IO_PUNCH, /* give the storage of a range back */
	BLK_IO_KINDS
};

struct blk_io_op {
	enum blk_io_kind kind;
	uint32_t tag; /* the caller's, below BLK_IO_DEPTH; one operation a tag at a time */
	void *buf;
	uint64_t len, offset; /* bytes */
};

struct blk_io_done {
	uint32_t tag;
	int32_t res; /* bytes moved, 0 for what moves none, or -errno */
};

struct blk_io;

/* Serves file @fd, which stays the caller's. @threads: do not even try io_uring. NULL: errno. */
struct blk_io *blk_io_open(int fd, bool threads);
/* Waits for what is out. */
void blk_io_close(struct blk_io *io);
/* "io_uring" or "threads". */
const char *blk_io_name(const struct blk_io *io);

/* Readable when something is done. */
int blk_io_fd(const struct blk_io *io);
/* Takes one operation; it may start only with blk_io_start(). */
void blk_io_add(struct blk_io *io, const struct blk_io_op *op);
/* Starts what was added. 0, or -EAGAIN: not all could be, call again soon. */
int blk_io_start(struct blk_io *io);
/* What is done, at most @max. Returns how many. Does not wait. */
unsigned int blk_io_reap(struct blk_io *io, struct blk_io_done *done, unsigned int max);
/* Waits until something is done; something must be out. */
void blk_io_wait(struct blk_io *io);
/* The same, @ms at most, or less when a signal comes. false: nothing is. */
bool blk_io_wait_ms(struct blk_io *io, int ms);

#endif
