/* SPDX-License-Identifier: MIT */
/*
 * blk_wire.h - block requests as they lie in the ring, and as the engine sees them.
 *
 * Two layouts exist, of 32-bit and of 64-bit guests, and they differ only in padding. Both come
 * from <xen/io/blkif.h>, compiled twice with different packing (blk_wire32.c, blk_wire64.c).
 */
#ifndef BACKENDS_BLK_WIRE_H
#define BACKENDS_BLK_WIRE_H

#include <stdint.h>

#include "bring.h"

#define BLK_RAW_MAX 128 /* no request of either layout is longer */
#define BLK_DIRECT_SEGMENTS 11
#define BLK_INDIRECT_PAGES 8

struct blk_seg {
	uint32_t gref;
	uint8_t first_sect, last_sect; /* guest-controlled, any value */
};

/* One request, layout removed, nothing checked. */
struct blk_req {
	uint8_t op;	  /* BLKIF_OP_*, for an indirect request the inner one */
	uint8_t indirect; /* segments are in the granted pages below */
	uint8_t secure;	  /* discard only */
	uint16_t nr_segs;
	uint64_t id;
	uint64_t sector;
	uint64_t nr_sectors; /* discard only */
	union {
		struct blk_seg seg[BLK_DIRECT_SEGMENTS];
		uint32_t indirect_gref[BLK_INDIRECT_PAGES];
	};
};

struct blk_wire {
	const char *protocol; /* as the frontend's key spells it */
	struct bring_geometry geo;
	/* Takes a copied request apart. */
	void (*decode)(const void *raw, struct blk_req *req);
	/* Builds a response with every byte of it defined. @rsp: BRING_MAX_RSP bytes. */
	void (*encode)(void *rsp, uint64_t id, uint8_t op, int16_t status);
	/* Entry @i of a page of indirect segments, copied before. */
	void (*segment)(const void *page, uint32_t i, struct blk_seg *seg);
};

extern const struct blk_wire blk_wire64, blk_wire32;

#endif
