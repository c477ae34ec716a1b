/* SPDX-License-Identifier: MIT */
/* blk_op.c - one block request: see blk_op.h. Source: xen/io/blkif.h. */
#include "blk_op.h"

#include <errno.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>

#define SECTORS_PER_PAGE (GCOPY_PAGE / BLK_SECTOR)
#define SEG_LEN sizeof(struct blkif_request_segment)

/* Copies the segment list of an indirect request out of the guest. */
static int fetch_indirect(struct blk_op *op, const struct blk_place *p)
{
	const uint32_t per_page = GCOPY_PAGE / SEG_LEN;
	uint8_t list[BLK_MAX_SEGMENTS * SEG_LEN];
	uint32_t left = op->req.nr_segs, first = 0;

	gcopy_start(p->lists, p->gnt, p->domid);
	for (uint32_t i = 0; left; i++) {
		uint32_t n = left < per_page ? left : per_page;

		if (i == BLK_INDIRECT_PAGES ||
		    gcopy_from(p->lists, list + first * SEG_LEN, op->req.indirect_gref[i], 0,
			       (uint32_t)(n * SEG_LEN)) < 0)
			return -EINVAL;
		first += n;
		left -= n;
	}
	if (gcopy_run(p->lists) < 0 || !gcopy_ok(p->lists, 0, p->lists->nr))
		return -EFAULT;
	for (uint32_t i = 0; i < op->req.nr_segs; i++)
		p->wire->segment(list, i, &op->seg[i]);
	return 0;
}

static bool inside(const struct blk_image *image, uint64_t sector, uint64_t nr)
{
	return sector <= image->sectors && nr <= image->sectors - sector;
}

/* The segments of a transfer: each inside a page, all inside the disk. Sets op->len. */
static int check_segments(struct blk_op *op, const struct blk_place *p)
{
	uint32_t max = op->req.indirect ? BLK_MAX_SEGMENTS : BLK_DIRECT_SEGMENTS;
	uint64_t sectors = 0;

	if (op->req.nr_segs == 0 || op->req.nr_segs > max)
		return -EINVAL;
	if (op->req.indirect) {
		int rc = fetch_indirect(op, p);

		if (rc < 0)
			return rc;
	} else {
		memcpy(op->seg, op->req.seg, op->req.nr_segs * sizeof(op->seg[0]));
	}
	for (uint32_t i = 0; i < op->req.nr_segs; i++) {
		const struct blk_seg *s = &op->seg[i];

		if (s->first_sect > s->last_sect || s->last_sect >= SECTORS_PER_PAGE)
			return -EINVAL;
		sectors += s->last_sect - s->first_sect + 1u;
	}
	if (!inside(p->image, op->req.sector, sectors))
		return -EINVAL;
	op->len = sectors * BLK_SECTOR;
	return 0;
}

static void add_step(struct blk_op *op, enum blk_io_kind kind)
{
	op->step[op->nr_steps++] = kind;
}

static int prepare_read(struct blk_op *op, const struct blk_place *p)
{
	add_step(op, BLK_IO_READ);
	return check_segments(op, p);
}

static int prepare_write(struct blk_op *op, const struct blk_place *p)
{
	if (p->image->readonly)
		return -EROFS;
	op->changes = true;
	add_step(op, BLK_IO_WRITE);
	return check_segments(op, p);
}

/* A flush may carry data, which is written first. A read-only disk has nothing to flush. */
static int prepare_flush(struct blk_op *op, const struct blk_place *p)
{
	int rc = op->req.nr_segs ? prepare_write(op, p) : 0;

	if (!p->image->readonly)
		add_step(op, BLK_IO_SYNC);
	return rc;
}

/* Everything before is stable, then the data, then that is stable too. */
static int prepare_barrier(struct blk_op *op, const struct blk_place *p)
{
	if (p->image->readonly)
		return -EROFS;
	op->barrier = true;
	add_step(op, BLK_IO_SYNC);
	return prepare_flush(op, p);
}

static int prepare_discard(struct blk_op *op, const struct blk_place *p)
{
	if (p->image->readonly)
		return -EROFS;
	if (op->req.secure || !p->image->can_discard)
		return -EOPNOTSUPP;
	if (!inside(p->image, op->req.sector, op->req.nr_sectors))
		return -EINVAL;
	op->changes = true;
	if (op->req.nr_sectors)
		add_step(op, BLK_IO_PUNCH);
	return 0;
}

static const struct {
	int (*prepare)(struct blk_op *op, const struct blk_place *p);
	bool indirect; /* may come inside BLKIF_OP_INDIRECT */
} ops[] = {
	[BLKIF_OP_READ] = { prepare_read, true },
	[BLKIF_OP_WRITE] = { prepare_write, true },
	[BLKIF_OP_WRITE_BARRIER] = { prepare_barrier, false },
	[BLKIF_OP_FLUSH_DISKCACHE] = { prepare_flush, false },
	[BLKIF_OP_DISCARD] = { prepare_discard, false },
};

int blk_op_prepare(struct blk_op *op, const struct blk_place *p, const void *raw)
{
	op->changes = op->barrier = false;
	op->nr_steps = op->at = 0;
	op->len = op->moved = 0;
	p->wire->decode(raw, &op->req);
	if (op->req.op >= sizeof(ops) / sizeof(ops[0]) || !ops[op->req.op].prepare)
		return -EOPNOTSUPP;
	if (op->req.indirect && !ops[op->req.op].indirect)
		return -EINVAL;
	return ops[op->req.op].prepare(op, p);
}

int blk_op_add_copies(struct blk_op *op, struct gcopy *batch)
{
	char *mem = op->buf;

	op->copies = batch->nr;
	for (uint32_t i = 0; i < op->req.nr_segs; i++) {
		const struct blk_seg *s = &op->seg[i];
		uint32_t offset = s->first_sect * BLK_SECTOR;
		uint32_t bytes = (s->last_sect - s->first_sect + 1u) * BLK_SECTOR;
		int rc = op->changes ? gcopy_from(batch, mem, s->gref, offset, bytes)
				     : gcopy_to(batch, s->gref, offset, mem, bytes);

		if (rc < 0)
			return rc;
		mem += bytes;
	}
	return 0;
}

int blk_op_copied(const struct blk_op *op, const struct gcopy *batch)
{
	return op->copies == BLK_NO_COPIES || gcopy_ok(batch, op->copies, op->req.nr_segs) ?
		       0 :
		       -EFAULT;
}

struct blk_io_op blk_op_io(const struct blk_op *op, uint32_t tag)
{
	struct blk_io_op io = { .kind = op->step[op->at], .tag = tag };

	if (io.kind == BLK_IO_SYNC)
		return io;
	io.offset = op->req.sector * BLK_SECTOR + op->moved;
	io.len = io.kind == BLK_IO_PUNCH ? op->req.nr_sectors * BLK_SECTOR : op->len - op->moved;
	io.buf = op->buf ? op->buf + op->moved : NULL;
	return io;
}

int blk_op_advance(struct blk_op *op, int32_t res)
{
	enum blk_io_kind kind = op->step[op->at];

	if (res < 0)
		return res == -EINTR ? 1 : res;
	if (kind == BLK_IO_READ || kind == BLK_IO_WRITE) {
		if (res == 0) /* somebody made the file shorter */
			return -EIO;
		op->moved += (size_t)res;
		if (op->moved < op->len)
			return 1;
	}
	return ++op->at < op->nr_steps;
}

int16_t blk_op_status(int rc)
{
	if (rc == 0)
		return BLKIF_RSP_OKAY;
	return rc == -EOPNOTSUPP ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_ERROR;
}
