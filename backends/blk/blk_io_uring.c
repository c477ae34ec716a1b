/* SPDX-License-Identifier: MIT */
/*
 * blk_io_uring.c - block I/O by io_uring: one system call for all that starts together.
 *
 * A ring is a way around a system call filter: what is submitted is not a system call. So the
 * ring is restricted before it is enabled: four operations, on the one registered file, and no
 * more registrations. Source: io_uring_register(2), IORING_REGISTER_RESTRICTIONS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <liburing.h>

#include "blk_io_priv.h"

#define IMAGE 0 /* index among the registered files */

struct uring {
	struct blk_io io;
	struct io_uring ring;
	unsigned int added;
};

/* Debian 12's liburing does not export its two functions for this. */
static int reg(struct io_uring *ring, unsigned int what, void *arg, unsigned int nr)
{
	return syscall(SYS_io_uring_register, ring->ring_fd, what, arg, nr) < 0 ? -errno : 0;
}

static int restrict_ring(struct io_uring *ring)
{
	static const unsigned int ops[] = { IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FSYNC,
					    IORING_OP_FALLOCATE };
	struct io_uring_restriction r[6] = {
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_FIXED_FILE },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE },
	};

	for (unsigned int i = 0; i < 4; i++)
		r[2 + i] = (struct io_uring_restriction){
			.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = (__u8)ops[i]};
	return reg(ring, IORING_REGISTER_RESTRICTIONS, r, 6);
}

static struct blk_io *uring_open(int fd)
{
	struct uring *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return NULL;
	rc = io_uring_queue_init(BLK_IO_DEPTH, &u->ring, IORING_SETUP_R_DISABLED);
	if (rc < 0) {
		free(u);
		errno = -rc;
		return NULL;
	}
	rc = io_uring_register_files(&u->ring, &fd, 1);
	if (rc == 0)
		rc = restrict_ring(&u->ring);
	if (rc == 0)
		rc = reg(&u->ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
	if (rc == 0)
		return &u->io;
	io_uring_queue_exit(&u->ring);
	free(u);
	errno = -rc;
	return NULL;
}

static void uring_close(struct blk_io *io)
{
	struct uring *u = (struct uring *)io;

	io_uring_queue_exit(&u->ring);
	free(u);
}

static int uring_fd(const struct blk_io *io)
{
	return ((const struct uring *)io)->ring.ring_fd;
}

static void uring_add(struct blk_io *io, const struct blk_io_op *op)
{
	struct uring *u = (struct uring *)io;
	/* As many entries as tags: there is always one. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	switch (op->kind) {
	case BLK_IO_READ:
		io_uring_prep_read(sqe, IMAGE, op->buf, (unsigned int)op->len, op->offset);
		break;
	case BLK_IO_WRITE:
		io_uring_prep_write(sqe, IMAGE, op->buf, (unsigned int)op->len, op->offset);
		break;
	case BLK_IO_PUNCH:
		io_uring_prep_fallocate(sqe, IMAGE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)op->offset, (off_t)op->len);
		break;
	case BLK_IO_SYNC:
	case BLK_IO_KINDS:
		io_uring_prep_fsync(sqe, IMAGE, IORING_FSYNC_DATASYNC);
		break;
	}
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	io_uring_sqe_set_data64(sqe, op->tag);
	u->added++;
}

static int uring_start(struct blk_io *io)
{
	struct uring *u = (struct uring *)io;

	/* EAGAIN, EBUSY: no memory just now; what is queued stays queued for the next call. */
	while (u->added) {
		int n = io_uring_submit(&u->ring);

		if (n < 0 && n != -EINTR)
			return -EAGAIN;
		u->added -= n > 0 ? (unsigned int)n : 0;
	}
	return 0;
}

static unsigned int uring_reap(struct blk_io *io, struct blk_io_done *done, unsigned int max)
{
	struct uring *u = (struct uring *)io;
	struct io_uring_cqe *cqe[BLK_IO_DEPTH];
	unsigned int n = io_uring_peek_batch_cqe(&u->ring, cqe, max < BLK_IO_DEPTH ? max : BLK_IO_DEPTH);

	for (unsigned int i = 0; i < n; i++)
		done[i] = (struct blk_io_done){ (uint32_t)cqe[i]->user_data, cqe[i]->res };
	io_uring_cq_advance(&u->ring, n);
	return n;
}

const struct blk_io_way blk_io_uring = {
	.name = "io_uring",
	.open = uring_open,
	.close = uring_close,
	.fd = uring_fd,
	.add = uring_add,
	.start = uring_start,
	.reap = uring_reap,
};
