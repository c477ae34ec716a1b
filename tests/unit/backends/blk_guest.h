/* SPDX-License-Identifier: MIT */
/* blk_guest.h - a block frontend's hand: writes requests of either layout as a guest would. */
#ifndef TESTS_BLK_GUEST_H
#define TESTS_BLK_GUEST_H

#include <stdint.h>

struct guest_seg {
	uint32_t gref;
	uint8_t first, last;
};

struct guest_rsp {
	uint64_t id;
	uint8_t op;
	int16_t status;
};

struct blk_guest {
	/* Writes request @idx with @nr segments claimed, of which at most 11 are stored. */
	void (*put)(void *page, uint32_t idx, uint8_t op, uint64_t id, uint64_t sector, uint8_t nr,
		    const struct guest_seg *segs);
	void (*put_indirect)(void *page, uint32_t idx, uint8_t op, uint64_t id, uint64_t sector,
			     uint16_t nr, const uint32_t *grefs);
	void (*put_discard)(void *page, uint32_t idx, uint64_t id, uint64_t sector, uint64_t count,
			    uint8_t flag);
	struct guest_rsp (*get)(const void *page, uint32_t idx);
	/* Segment @i of an indirect page. */
	void (*put_seg)(void *page, uint32_t i, struct guest_seg seg);
};

extern const struct blk_guest blk_guest64, blk_guest32;

#endif
