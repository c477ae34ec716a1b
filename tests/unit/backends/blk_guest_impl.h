/* SPDX-License-Identifier: MIT */
/* blk_guest_impl.h - body of blk_guest32.c and blk_guest64.c; includer chose the packing. */
#include <string.h>

static struct blkif_request *slot(const void *page, uint32_t idx)
{
	struct blkif_sring *s = (struct blkif_sring *)page;

	return &s->ring[idx & 31].req;
}

static void put(void *page, uint32_t idx, uint8_t op, uint64_t id, uint64_t sector, uint8_t nr,
		const struct guest_seg *segs)
{
	struct blkif_request *r = slot(page, idx);

	memset(r, 0, sizeof(*r));
	r->operation = op;
	r->nr_segments = nr;
	r->id = id;
	r->sector_number = sector;
	for (int i = 0; i < nr && i < BLKIF_MAX_SEGMENTS_PER_REQUEST && segs; i++) {
		r->seg[i].gref = segs[i].gref;
		r->seg[i].first_sect = segs[i].first;
		r->seg[i].last_sect = segs[i].last;
	}
}

static void put_indirect(void *page, uint32_t idx, uint8_t op, uint64_t id, uint64_t sector,
			 uint16_t nr, const uint32_t *grefs)
{
	struct blkif_request_indirect r;

	memset(&r, 0, sizeof(r));
	r.operation = BLKIF_OP_INDIRECT;
	r.indirect_op = op;
	r.nr_segments = nr;
	r.id = id;
	r.sector_number = sector;
	for (int i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++)
		r.indirect_grefs[i] = grefs[i];
	memcpy((void *)slot(page, idx), &r, sizeof(r));
}

static void put_discard(void *page, uint32_t idx, uint64_t id, uint64_t sector, uint64_t count,
			uint8_t flag)
{
	struct blkif_request_discard r;

	memset(&r, 0, sizeof(r));
	r.operation = BLKIF_OP_DISCARD;
	r.flag = flag;
	r.id = id;
	r.sector_number = sector;
	r.nr_sectors = count;
	memcpy((void *)slot(page, idx), &r, sizeof(r));
}

static struct guest_rsp get(const void *page, uint32_t idx)
{
	struct blkif_response r;

	memcpy(&r, slot(page, idx), sizeof(r));
	return (struct guest_rsp){ r.id, r.operation, r.status };
}

static void put_seg(void *page, uint32_t i, struct guest_seg seg)
{
	struct blkif_request_segment s;

	memset(&s, 0, sizeof(s));
	s.gref = seg.gref;
	s.first_sect = seg.first;
	s.last_sect = seg.last;
	memcpy((char *)page + i * sizeof(s), &s, sizeof(s));
}
