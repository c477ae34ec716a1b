/* SPDX-License-Identifier: MIT */
/*
 * blk_ring.h - the block request engine: takes requests off one ring, does them, answers them.
 *
 * Requests are done one after the other, in ring order, and answered in that order. A successor
 * after kill -9 simply does again whatever has no answer yet: a write repeated with the same data
 * in the same order ends in the same disk, and the guest keeps the data granted until answered.
 * Memory is fixed at creation: one buffer of the largest request.
 */
#ifndef BACKENDS_BLK_RING_H
#define BACKENDS_BLK_RING_H

#include <stdint.h>

#include "blk_image.h"
#include "blk_wire.h"
#include "bring.h"
#include "gcopy.h"

/* Largest indirect request: 1 MiB. The frontend may use fewer. */
#define BLK_MAX_SEGMENTS 256

struct blk_ring {
	struct bring ring;
	const struct blk_wire *wire;
	const struct blk_image *image;
	xengnttab_handle *gnt;
	uint32_t domid;
	void *buf;  /* BLK_MAX_SEGMENTS pages */
	void *segs; /* BLK_MAX_SEGMENTS entries, as the guest laid them out */
	struct gcopy copy;
	uint64_t nr_requests, nr_errors; /* statistics */
};

/* Allocates an engine for @image (kept). NULL: no memory. */
struct blk_ring *blk_ring_create(const struct blk_image *image, xengnttab_handle *gnt,
				 uint32_t domid);
void blk_ring_destroy(struct blk_ring *b);

/*
 * Does at most one ring-full of requests. Returns 0: the ring is empty and armed; 1: more to do;
 * -EPROTO: the frontend broke the ring. *@notify: the frontend wants to hear of the answers.
 */
int blk_ring_work(struct blk_ring *b, bool *notify);

#endif
