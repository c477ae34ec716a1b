/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.c - the buddy allocator over the frame table. Free blocks are linked through the
 * records of their first frames; two zones keep memory below 4 GiB for those who must have it.
 *
 * Free frames are zero, or marked FRAME_DIRTY (from boot). A stale translation of a freed frame is flushed
 * before the frame is given out again (stamp, security.md C25).
 */
#include "mm/page_alloc.h"

#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/layout.h"
#include "x86/machine.h"

#define ZONE_LOW_FRAMES (1ULL << (32 - PAGE_SHIFT)) /* below 4 GiB */
enum zone { ZONE_LOW, ZONE_HIGH, ZONE_NR };

static u32 free_head[ZONE_NR][MAX_ORDER + 1];
static u64 nr_free, nr_total;

void page_alloc_init(void)
{
	memset(free_head, 0xff, sizeof(free_head)); /* FRAME_LIST_END everywhere */
	nr_free = nr_total = 0;
}

static enum zone zone_of(u64 mfn)
{
	return mfn < ZONE_LOW_FRAMES ? ZONE_LOW : ZONE_HIGH;
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

		/* blocks never cross a zone: its border is a multiple of every block size */
		if (!is_free_block(buddy, order))
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
		unsigned int order = mfn ? (unsigned int)__builtin_ctzll(mfn) : MAX_ORDER;

		order = MIN(order, (unsigned int)MAX_ORDER);
		while ((1ULL << order) > mfn_x(end) - mfn)
			order--;
		block_free(mfn, order);
		mfn += 1ULL << order;
	}
}

/* Cuts a block of @order from the free block at @mfn of size @from; gives back the upper halves, keeps the lower. */
static void block_split(u64 mfn, unsigned int from, unsigned int order)
{
	while (from > order) {
		from--;
		list_add(mfn + (1ULL << from), from);
	}
}

/* A free block of at least @order that ends below @limit frames. */
static bool block_find(enum zone zone, unsigned int order, u64 limit, u64 *mfn, unsigned int *found)
{
	for (unsigned int o = order; o <= MAX_ORDER; o++) {
		for (u32 i = free_head[zone][o]; i != FRAME_LIST_END; i = frame_table[i].next) {
			/* the lowest part of a larger block may be below the limit though its end is not */
			if (i + (1ULL << order) > limit)
				continue;
			*mfn = i;
			*found = o;
			return true;
		}
	}
	return false;
}

struct frame *frames_alloc(unsigned int order, unsigned int addr_bits)
{
	u64 limit = addr_bits && addr_bits < 52 ? 1ULL << (MAX(addr_bits, 12u) - PAGE_SHIFT) : ~0ULL;
	unsigned int found;
	struct frame *f;
	u64 mfn;

	if (order > MAX_ORDER)
		return NULL;
	/* high memory first: what is below 4 GiB is for callers that ask for it */
	if (!(limit > ZONE_LOW_FRAMES && block_find(ZONE_HIGH, order, limit, &mfn, &found)) &&
	    !block_find(ZONE_LOW, order, limit, &mfn, &found))
		return NULL;
	list_del(mfn, found);
	block_split(mfn, found, order);
	nr_free -= 1ULL << order;
	f = &frame_table[mfn];
	for (u64 i = 0; i < (1ULL << order); i++) {
		f[i].owner = DOMID_XEN;
		f[i].type = 0;
		tlb_flush_stale(f[i].stamp);
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
