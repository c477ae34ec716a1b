/* SPDX-License-Identifier: MIT */
/* blk_ring.c - block request engine: see blk_ring.h. Every field of a request is untrusted. */
#include "blk_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>

#include <log.h>

#define SECTORS_PER_PAGE (GCOPY_PAGE / BLK_SECTOR)

struct blk_ring *blk_ring_create(const struct blk_image *image, xengnttab_handle *gnt,
				 uint32_t domid)
{
	struct blk_ring *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->image = image;
	b->gnt = gnt;
	b->domid = domid;
	b->segs = malloc((size_t)BLK_MAX_SEGMENTS * sizeof(struct blkif_request_segment));
	if (posix_memalign(&b->buf, GCOPY_PAGE, (size_t)BLK_MAX_SEGMENTS * GCOPY_PAGE) ||
	    !b->segs) {
		blk_ring_destroy(b);
		return NULL;
	}
	return b;
}

void blk_ring_destroy(struct blk_ring *b)
{
	if (!b)
		return;
	free(b->segs);
	free(b->buf);
	free(b);
}

/* Copies the segment list of an indirect request out of the guest. */
static int fetch_indirect(struct blk_ring *b, const struct blk_req *req)
{
	const uint32_t seg_len = sizeof(struct blkif_request_segment);
	const uint32_t per_page = GCOPY_PAGE / seg_len;
	uint32_t left = req->nr_segs, first = 0;

	gcopy_start(&b->copy, b->gnt, b->domid);
	for (uint32_t i = 0; left; i++) {
		uint32_t n = left < per_page ? left : per_page;

		if (i == BLK_INDIRECT_PAGES)
			return -EINVAL;
		if (gcopy_from(&b->copy, (char *)b->segs + (size_t)first * seg_len,
			       req->indirect_gref[i], 0, n * seg_len) < 0)
			return -EINVAL;
		first += n;
		left -= n;
	}
	if (gcopy_run(&b->copy) < 0 || !gcopy_ok(&b->copy, 0, b->copy.nr))
		return -EFAULT;
	return 0;
}

static void get_segment(const struct blk_ring *b, const struct blk_req *req, uint32_t i,
			struct blk_seg *seg)
{
	if (req->indirect)
		b->wire->segment(b->segs, i, seg);
	else
		*seg = req->seg[i];
}

/*
 * Plans the grant copies of all segments, buffer positions running on. *@len gets the bytes in
 * all. -EINVAL: a segment is not inside a page, or the whole not inside the disk.
 */
static int plan_copies(struct blk_ring *b, const struct blk_req *req, bool to_guest, size_t *len)
{
	uint64_t sectors = 0;
	struct blk_seg seg;

	gcopy_start(&b->copy, b->gnt, b->domid);
	for (uint32_t i = 0; i < req->nr_segs; i++) {
		uint32_t offset, bytes;
		char *mem = (char *)b->buf + sectors * BLK_SECTOR;
		int rc;

		get_segment(b, req, i, &seg);
		if (seg.first_sect > seg.last_sect || seg.last_sect >= SECTORS_PER_PAGE)
			return -EINVAL;
		offset = seg.first_sect * BLK_SECTOR;
		bytes = (seg.last_sect - seg.first_sect + 1u) * BLK_SECTOR;
		rc = to_guest ? gcopy_to(&b->copy, seg.gref, offset, mem, bytes)
			      : gcopy_from(&b->copy, mem, seg.gref, offset, bytes);
		if (rc < 0)
			return rc;
		sectors += bytes / BLK_SECTOR;
	}
	if (req->sector > b->image->sectors || sectors > b->image->sectors - req->sector)
		return -EINVAL;
	*len = sectors * BLK_SECTOR;
	return 0;
}

static int run_copies(struct blk_ring *b)
{
	int rc = gcopy_run(&b->copy);

	if (rc < 0)
		return rc;
	return gcopy_ok(&b->copy, 0, b->copy.nr) ? 0 : -EFAULT;
}

/* Checks counts, fetches indirect segments, plans. 0 segments are legal only for a flush. */
static int prepare_transfer(struct blk_ring *b, const struct blk_req *req, bool to_guest,
			    size_t *len)
{
	uint32_t max = req->indirect ? BLK_MAX_SEGMENTS : BLK_DIRECT_SEGMENTS;

	if (req->nr_segs == 0 || req->nr_segs > max)
		return -EINVAL;
	if (req->indirect) {
		int rc = fetch_indirect(b, req);

		if (rc < 0)
			return rc;
	}
	return plan_copies(b, req, to_guest, len);
}

static int do_read(struct blk_ring *b, const struct blk_req *req)
{
	size_t len;
	int rc = prepare_transfer(b, req, true, &len);

	if (rc == 0)
		rc = blk_image_read(b->image, req->sector, b->buf, len);
	return rc < 0 ? rc : run_copies(b);
}

static int do_write(struct blk_ring *b, const struct blk_req *req)
{
	size_t len;
	int rc;

	if (b->image->readonly)
		return -EROFS;
	rc = prepare_transfer(b, req, false, &len);
	if (rc == 0)
		rc = run_copies(b);
	return rc < 0 ? rc : blk_image_write(b->image, req->sector, b->buf, len);
}

/* A flush may carry data, which is written first. A read-only disk has nothing to flush. */
static int do_flush(struct blk_ring *b, const struct blk_req *req)
{
	int rc = 0;

	if (req->nr_segs)
		rc = do_write(b, req);
	if (rc == 0 && !b->image->readonly)
		rc = blk_image_flush(b->image);
	return rc;
}

/* Everything before is stable, then the data, then that is stable too. */
static int do_barrier(struct blk_ring *b, const struct blk_req *req)
{
	int rc = b->image->readonly ? -EROFS : blk_image_flush(b->image);

	return rc < 0 ? rc : do_flush(b, req);
}

static int do_discard(struct blk_ring *b, const struct blk_req *req)
{
	if (b->image->readonly)
		return -EROFS;
	if (req->secure)
		return -EOPNOTSUPP;
	if (req->sector > b->image->sectors || req->nr_sectors > b->image->sectors - req->sector)
		return -EINVAL;
	return blk_image_discard(b->image, req->sector, req->nr_sectors);
}

static const struct {
	int (*run)(struct blk_ring *b, const struct blk_req *req);
	bool indirect; /* may come inside BLKIF_OP_INDIRECT */
} ops[] = {
	[BLKIF_OP_READ] = {do_read, true},
	[BLKIF_OP_WRITE] = {do_write, true},
	[BLKIF_OP_WRITE_BARRIER] = {do_barrier, false},
	[BLKIF_OP_FLUSH_DISKCACHE] = {do_flush, false},
	[BLKIF_OP_DISCARD] = {do_discard, false},
};

static int16_t do_request(struct blk_ring *b, const struct blk_req *req)
{
	int rc;

	if (req->op >= sizeof(ops) / sizeof(ops[0]) || !ops[req->op].run)
		return BLKIF_RSP_EOPNOTSUPP;
	rc = req->indirect && !ops[req->op].indirect ? -EINVAL : ops[req->op].run(b, req);
	if (rc == 0)
		return BLKIF_RSP_OKAY;
	b->nr_errors++;
	log_debug("d%u: op %u sector %llu: %s", b->domid, req->op, (unsigned long long)req->sector,
		  strerror(-rc));
	return rc == -EOPNOTSUPP ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_ERROR;
}

static void serve_one(struct blk_ring *b)
{
	uint8_t raw[BLK_RAW_MAX], rsp[BRING_MAX_RSP];
	struct blk_req req;
	int16_t status;

	bring_copy(&b->ring, 0, raw);
	b->wire->decode(raw, &req);
	status = do_request(b, &req);
	/* The answer to an indirect request names the inner operation: Linux's frontend insists. */
	b->wire->encode(rsp, req.id, req.op, status);
	bring_respond(&b->ring, rsp, 1);
	b->nr_requests++;
}

int blk_ring_work(struct blk_ring *b, bool *notify)
{
	int n = bring_pending(&b->ring);

	*notify = false;
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		serve_one(b);
	*notify = bring_must_notify(&b->ring);
	return bring_more(&b->ring);
}
