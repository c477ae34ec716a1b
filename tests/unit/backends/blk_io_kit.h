/* SPDX-License-Identifier: MIT */
/*
 * blk_io_kit.h - what tests of blk_io.h ask of one disk, whatever serves it. Included once a test.
 */
#ifndef BLK_IO_KIT_H
#define BLK_IO_KIT_H

#include "blk_io.h"

#define BLOCK 4096u

static struct blk_io *io;

static void add(enum blk_io_kind kind, uint32_t tag, void *buf, uint64_t block)
{
	const struct blk_io_op op = { kind, tag, buf, BLOCK, block * BLOCK };

	blk_io_add(io, &op);
}

/* Waits for the ends of @nr operations. The result of each tag in @res. */
static void collect(unsigned int nr, int32_t *res)
{
	struct blk_io_done done[BLK_IO_DEPTH];

	while (nr) {
		unsigned int n = blk_io_reap(io, done, BLK_IO_DEPTH);

		for (unsigned int i = 0; i < n; i++)
			res[done[i].tag] = done[i].res;
		nr -= n;
		if (!n)
			blk_io_wait(io);
	}
}

#endif
