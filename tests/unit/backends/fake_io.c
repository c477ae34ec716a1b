/* SPDX-License-Identifier: MIT */
/* fake_io.c - see fake_io.h. One engine at a time. */
#include "fake_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_io fake_io;

struct blk_io {
	int fd;
	unsigned int nr_added, nr_done;
	struct blk_io_op added[BLK_IO_DEPTH];
	struct blk_io_done done[BLK_IO_DEPTH];
};

static struct blk_io engine;

struct blk_io *blk_io_open(int fd, bool threads)
{
	(void)threads;
	memset(&fake_io, 0, sizeof(fake_io));
	engine = (struct blk_io){ .fd = fd };
	return &engine;
}

void blk_io_close(struct blk_io *io)
{
	(void)io;
}

const char *blk_io_name(const struct blk_io *io)
{
	(void)io;
	return "fake";
}

int blk_io_fd(const struct blk_io *io)
{
	return io->fd;
}

static int32_t perform(const struct blk_io_op *op)
{
	size_t len = fake_io.cut && fake_io.cut < op->len ? fake_io.cut : op->len;
	ssize_t n = 0;

	if (fake_io.fail) {
		n = fake_io.fail;
		fake_io.fail = 0;
		return (int32_t)n;
	}
	if (op->kind == BLK_IO_READ)
		n = pread(engine.fd, op->buf, len, (off_t)op->offset);
	else if (op->kind == BLK_IO_WRITE)
		n = pwrite(engine.fd, op->buf, len, (off_t)op->offset);
	else if (op->kind == BLK_IO_PUNCH)
		n = fallocate(engine.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)op->offset, (off_t)op->len);
	else
		n = fdatasync(engine.fd);
	if (op->kind == BLK_IO_READ || op->kind == BLK_IO_WRITE)
		fake_io.cut = 0;
	return n < 0 ? -errno : (int32_t)n;
}

void fake_io_end(unsigned int i)
{
	struct blk_io_op op = fake_io.out[i];

	memmove(&fake_io.out[i], &fake_io.out[i + 1],
		(--fake_io.nr - i) * sizeof(fake_io.out[0]));
	engine.done[engine.nr_done++] = (struct blk_io_done){ op.tag, perform(&op) };
}

/* Strict where the real ones rely on the engine: one operation a tag, no more than there are. */
void blk_io_add(struct blk_io *io, const struct blk_io_op *op)
{
	bool twice = io->nr_added + fake_io.nr == BLK_IO_DEPTH || op->tag >= BLK_IO_DEPTH;

	for (unsigned int i = 0; i < fake_io.nr; i++)
		twice |= fake_io.out[i].tag == op->tag;
	for (unsigned int i = 0; i < io->nr_added; i++)
		twice |= io->added[i].tag == op->tag;
	if (twice) {
		fprintf(stderr, "fake_io: tag %u is out already\n", op->tag);
		abort();
	}
	io->added[io->nr_added++] = *op;
}

int blk_io_start(struct blk_io *io)
{
	if (fake_io.refuse_start && io->nr_added)
		return -EAGAIN;
	for (unsigned int i = 0; i < io->nr_added; i++)
		fake_io.out[fake_io.nr++] = io->added[i];
	io->nr_added = 0;
	if (fake_io.nr > fake_io.most)
		fake_io.most = fake_io.nr;
	while (!fake_io.slow && fake_io.nr)
		fake_io_end(0);
	return 0;
}

unsigned int blk_io_reap(struct blk_io *io, struct blk_io_done *done, unsigned int max)
{
	unsigned int n = io->nr_done < max ? io->nr_done : max;

	memcpy(done, io->done, n * sizeof(done[0]));
	io->nr_done -= n;
	memmove(io->done, io->done + n, io->nr_done * sizeof(done[0]));
	return n;
}

bool blk_io_wait_ms(struct blk_io *io, int ms)
{
	(void)ms;
	if (fake_io.silent)
		return false;
	if (!io->nr_done)
		fake_io_end(0);
	return true;
}
