/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.c - the buddy allocator over the frame table. Free blocks are linked through the
 * records of their first frames. A zone is all frames whose numbers have as many bits: whoever must
 * have memory below some power of two finds whole zones below it, and no list is ever walked.
 *
 * Free frames are zero, or marked FRAME_DIRTY (from boot). A stale translation of a freed frame is
 * flushed before the frame is given out again (stamp, security.md C25).
 */
#include "mm/page_alloc.h"

#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/layout.h"
#include "x86/tlb.h"

#define ZONE_NR 33 /* a frame number is 32 bits wide */

static u32 free_head[ZONE_NR][MAX_ORDER + 1];
static u32 free_orders[ZONE_NR]; /* bit an order: its list is not empty */
static u64 nr_free, nr_total;

void page_alloc_init(void)
{
	memset(free_head, 0xff, sizeof(free_head)); /* FRAME_LIST_END everywhere */
	memset(free_orders, 0, sizeof(free_orders));
	nr_free = nr_total = 0;
}

/* Frame 0 is alone in its zone, and so in its block. */
static unsigned int zone_of(u64 mfn)
{
	return mfn ? 64 - (unsigned int)__builtin_clzll(mfn) : 0;
}

static void list_add(u64 mfn, unsigned int order)
{
	u32 *head = &free_head[zone_of(mfn)][order];
	struct frame *f = &frame_table[mfn];

	frame_set_refs(f, (f->ref & FRAME_DIRTY) | FRAME_FREE);
	frame_set_order(f, order);
	f->prev = FRAME_LIST_END;
	f->next = *head;
	if (*head != FRAME_LIST_END)
		frame_table[*head].prev = (u32)mfn;
	*head = (u32)mfn;
	free_orders[zone_of(mfn)] |= 1u << order;
}

static void list_del(u64 mfn, unsigned int order)
{
	struct frame *f = &frame_table[mfn];

	if (f->next != FRAME_LIST_END)
		frame_table[f->next].prev = f->prev;
	if (f->prev != FRAME_LIST_END)
		frame_table[f->prev].next = f->next;
	else
		free_head[zone_of(mfn)][order] = f->next;
	if (free_head[zone_of(mfn)][order] == FRAME_LIST_END)
		free_orders[zone_of(mfn)] &= ~(1u << order);
	frame_set_refs(f, f->ref & FRAME_DIRTY);
	f->type = 0;
}

/* True when @mfn heads a free block of exactly @order. */
static bool is_free_block(u64 mfn, unsigned int order)
{
	return mfn < frame_table_nr && (frame_table[mfn].ref & FRAME_FREE) &&
	       frame_order(&frame_table[mfn]) == order;
}

static void block_free(u64 mfn, unsigned int order)
{
	while (order < MAX_ORDER) {
		u64 buddy = mfn ^ (1ULL << order);

		/* only with frame 0 would a block cross the border of a zone */
		if (zone_of(buddy) != zone_of(mfn) || !is_free_block(buddy, order))
			break;
		list_del(buddy, order);
		mfn &= ~(1ULL << order);
		order++;
	}
	list_add(mfn, order);
}

void frames_free(struct frame *f, unsigned int order)
{
	for (u64 i = 0; i < (1ULL << order); i++) {
		BUG_ON(frame_refs(&f[i]) & ~FRAME_DIRTY);
		f[i].owner = DOMID_XEN;
	}
	nr_free += 1ULL << order;
	block_free(mfn_x(frame_to_mfn(f)), order);
}

void page_alloc_add(mfn_t start, mfn_t end)
{
	u64 mfn = mfn_x(start);

	for (u64 i = mfn; i < mfn_x(end); i++) {
		memset(&frame_table[i], 0, sizeof(frame_table[i]));
		frame_table[i].owner = DOMID_XEN;
		frame_table[i].ref |= FRAME_DIRTY;
	}
	nr_total += mfn_x(end) - mfn;
	nr_free += mfn_x(end) - mfn;
	while (mfn < mfn_x(end)) {
		unsigned int order = mfn ? (unsigned int)__builtin_ctzll(mfn) : 0;

		order = MIN(order, (unsigned int)MAX_ORDER);
		while ((1ULL << order) > mfn_x(end) - mfn)
			order--;
		block_free(mfn, order);
		mfn += 1ULL << order;
	}
}

/*
 * Cuts a block of @order from the free block at @mfn of size @from; gives back the upper halves,
 * keeps the lower.
 */
static void block_split(u64 mfn, unsigned int from, unsigned int order)
{
	while (from > order) {
		from--;
		list_add(mfn + (1ULL << from), from);
	}
}

/*
 * A free block of at least @order in @zone or one below; the highest: low memory is for those who
 * ask for it.
 */
static bool block_find(unsigned int zone, unsigned int order, u64 *mfn, unsigned int *found)
{
	for (unsigned int z = zone + 1; z-- > 0;) {
		u32 orders = free_orders[z] >> order;

		if (!orders)
			continue;
		*found = order + (unsigned int)__builtin_ctz(orders);
		*mfn = free_head[z][*found];
		return true;
	}
	return false;
}

struct frame *frames_alloc(unsigned int order, unsigned int addr_bits)
{
	unsigned int zone = addr_bits ? MAX(addr_bits, (unsigned int)PAGE_SHIFT) - PAGE_SHIFT :
					ZONE_NR;
	unsigned int found;
	struct frame *f;
	u64 mfn;

	if (order > MAX_ORDER || !block_find(MIN(zone, ZONE_NR - 1u), order, &mfn, &found))
		return NULL;
	list_del(mfn, found);
	block_split(mfn, found, order);
	nr_free -= 1ULL << order;
	f = &frame_table[mfn];
	for (u64 i = 0; i < (1ULL << order); i++) {
		f[i].owner = DOMID_XEN;
		f[i].type = 0;
		tlb_flush_released(f[i].stamp);
	}
	return f;
}

void frame_clean(struct frame *f)
{
	if (!(f->ref & FRAME_DIRTY))
		return;
	memset(mfn_to_virt(frame_to_mfn(f)), 0, PAGE_SIZE);
	f->ref &= ~FRAME_DIRTY;
}

u64 page_alloc_free_frames(void)
{
	return nr_free;
}

u64 page_alloc_total_frames(void)
{
	return nr_total;
}
