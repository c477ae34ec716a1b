/* SPDX-License-Identifier: MIT */
/* blk_io.c - choosing between the ways of doing I/O: see blk_io.h. */
#include "blk_io.h"

#include <poll.h>

#include "blk_io_priv.h"

struct blk_io *blk_io_open(int fd, bool threads)
{
	static const struct blk_io_way *const ways[] = { &blk_io_uring, &blk_io_threads };

	for (unsigned int i = threads; i < 2; i++) {
		struct blk_io *io = ways[i]->open(fd);

		if (io) {
			io->way = ways[i];
			return io;
		}
	}
	return NULL;
}

void blk_io_close(struct blk_io *io)
{
	if (io)
		io->way->close(io);
}

const char *blk_io_name(const struct blk_io *io)
{
	return io->way->name;
}

int blk_io_fd(const struct blk_io *io)
{
	return io->way->fd(io);
}

void blk_io_add(struct blk_io *io, const struct blk_io_op *op)
{
	io->way->add(io, op);
}

int blk_io_start(struct blk_io *io)
{
	return io->way->start(io);
}

unsigned int blk_io_reap(struct blk_io *io, struct blk_io_done *done, unsigned int max)
{
	return io->way->reap(io, done, max);
}

bool blk_io_wait_ms(struct blk_io *io, int ms)
{
	struct pollfd p = { .fd = blk_io_fd(io), .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

void blk_io_wait(struct blk_io *io)
{
	while (!blk_io_wait_ms(io, -1))
		;
}
