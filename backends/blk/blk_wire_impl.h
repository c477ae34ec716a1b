/* SPDX-License-Identifier: MIT */
/*
 * blk_wire_impl.h - the body of blk_wire32.c and blk_wire64.c, under whatever packing they chose.
 * The includer has included <xen/io/blkif.h> and names the table itself.
 */
#include <string.h>

static void decode_discard(const void *raw, struct blk_req *req)
{
	struct blkif_request_discard in;

	memcpy(&in, raw, sizeof(in));
	req->id = in.id;
	req->sector = in.sector_number;
	req->nr_sectors = in.nr_sectors;
	req->secure = in.flag & BLKIF_DISCARD_SECURE;
}

static void decode_indirect(const void *raw, struct blk_req *req)
{
	struct blkif_request_indirect in;

	memcpy(&in, raw, sizeof(in));
	req->op = in.indirect_op;
	req->indirect = 1;
	req->nr_segs = in.nr_segments;
	req->id = in.id;
	req->sector = in.sector_number;
	memcpy(req->indirect_gref, in.indirect_grefs, sizeof(req->indirect_gref));
}

static void decode_direct(const void *raw, struct blk_req *req)
{
	struct blkif_request in;

	memcpy(&in, raw, sizeof(in));
	req->id = in.id;
	req->sector = in.sector_number;
	req->nr_segs = in.nr_segments;
	for (int i = 0; i < BLK_DIRECT_SEGMENTS; i++)
		req->seg[i] =
			(struct blk_seg){ in.seg[i].gref, in.seg[i].first_sect, in.seg[i].last_sect };
}

static void decode(const void *raw, struct blk_req *req)
{
	memset(req, 0, sizeof(*req));
	memcpy(&req->op, raw, 1);
	if (req->op == BLKIF_OP_DISCARD)
		decode_discard(raw, req);
	else if (req->op == BLKIF_OP_INDIRECT)
		decode_indirect(raw, req);
	else
		decode_direct(raw, req);
}

static void encode(void *rsp, uint64_t id, uint8_t op, int16_t status)
{
	struct blkif_response out;

	memset(&out, 0, sizeof(out));
	out.id = id;
	out.operation = op;
	out.status = status;
	memcpy(rsp, &out, sizeof(out));
}

static void segment(const void *page, uint32_t i, struct blk_seg *seg)
{
	struct blkif_request_segment in;

	memcpy(&in, (const char *)page + i * sizeof(in), sizeof(in));
	*seg = (struct blk_seg){ in.gref, in.first_sect, in.last_sect };
}

_Static_assert(sizeof(struct blkif_request) <= BLK_RAW_MAX, "xen/io/blkif.h: request");
_Static_assert(sizeof(struct blkif_response) <= BRING_MAX_RSP, "xen/io/blkif.h: response");
_Static_assert(BLKIF_MAX_SEGMENTS_PER_REQUEST == BLK_DIRECT_SEGMENTS, "xen/io/blkif.h");
_Static_assert(BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST == BLK_INDIRECT_PAGES, "xen/io/blkif.h");

#define BLK_SLOTS 32

_Static_assert(
	(4096 - offsetof(struct blkif_sring, ring)) / sizeof(union blkif_sring_entry) >=
			BLK_SLOTS &&
		(4096 - offsetof(struct blkif_sring, ring)) / sizeof(union blkif_sring_entry) <
			2 * BLK_SLOTS,
	"BLK_SLOTS is the largest power of two of slots in a page");

/* The table of this layout, as @name is written in the frontend's "protocol". */
#define BLK_WIRE(name)                                             \
	{                                                          \
		.protocol = name,                                  \
		.geo =                                             \
			{                                          \
				sizeof(union blkif_sring_entry),   \
				sizeof(struct blkif_request),      \
				sizeof(struct blkif_response),     \
				BLK_SLOTS,                         \
			},                                         \
		.decode = decode, .encode = encode, .segment = segment, \
	}
