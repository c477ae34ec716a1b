/* SPDX-License-Identifier: MIT */
/* blk_io_priv.h - the two ways of doing I/O behind blk_io.h. */
#ifndef BACKENDS_BLK_IO_PRIV_H
#define BACKENDS_BLK_IO_PRIV_H

#include "blk_io.h"

struct blk_io_way {
	const char *name;
	/* @io is the start of the way's own structure. NULL: errno says why there is none. */
	struct blk_io *(*open)(int fd);
	void (*close)(struct blk_io *io);
	int (*fd)(const struct blk_io *io);
	void (*add)(struct blk_io *io, const struct blk_io_op *op);
	int (*start)(struct blk_io *io);
	unsigned int (*reap)(struct blk_io *io, struct blk_io_done *done, unsigned int max);
};

struct blk_io {
	const struct blk_io_way *way;
};

extern const struct blk_io_way blk_io_uring, blk_io_threads;

#endif
