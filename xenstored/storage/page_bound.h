/* SPDX-License-Identifier: MIT */
/*
 * page_bound.h - how many pages LMDB may use at most for changes of records: the one place that
 * says so. test_room.c counts what is really used. Pure.
 *
 * What is counted: a page that a commit has left is copied once when it is changed first ("copies":
 * the way to the leaf, and for a deletion one neighbour on each level). A record that was not there
 * or gets another length may split every page on its way and need a new root ("made"). A record
 * that does not fit half a page is alone on one, or on a run of pages that follow each other: only
 * runs cannot be put together from what was given back ("run"). Pages that a transaction has taken
 * and does not need any more it uses again before it takes others, runs excepted.
 */
#ifndef XENSTORED_PAGE_BOUND_H
#define XENSTORED_PAGE_BOUND_H

#include <stdint.h>

#include "store.h"

/* All tables together: pages of their trees, those beside them, levels of the highest one. */
struct page_shape {
	uint64_t leaves, branches, overflow;
	unsigned int depth;
};

struct page_bound {
	uint64_t copies;
	uint64_t made;
	uint64_t run;
};

/*
 * More records than this are looked at together: page_bound_many(). Fewer cannot make a tree
 * higher by more than one level: its root is new then, and needs six entries until it is full.
 */
#define PAGE_BOUND_FEW 12u

static inline uint64_t store_need_records(const struct store_need *need)
{
	return (uint64_t)need->inserts + need->rewrites + need->deletes;
}

/* Ways to leaves, and neighbours. */
static inline uint64_t page_bound_copies(const struct store_need *need, unsigned int depth)
{
	return store_need_records(need) * (2 * (uint64_t)depth - 1);
}

/* Bytes of a record and its key in front of what the caller has counted. */
#define PAGE_BOUND_RECORD 64u
/*
 * A shorter record than these is on a leaf; is alone, but on one page. Of records of more than 1358
 * bytes with LMDB's part three do not fit a page, and one is left on each at a table's end; what is
 * queued has up to 14 bytes more than is counted here.
 */
#define PAGE_BOUND_ALONE 1280u
#define PAGE_BOUND_RUN	3900u
/* Pages of a record that is put again as it was. */
#define PAGE_BOUND_AGAIN 3u

static inline uint64_t page_bound_content(const struct store_need *need)
{
	return need->bytes + (uint64_t)PAGE_BOUND_RECORD * need->inserts;
}

/* Pages of records that are alone: of new ones, and @again of those that are put as they were. */
static inline void page_bound_alone(const struct store_need *need, uint64_t again,
				    struct page_bound *out)
{
	out->run = again;
	if (need->longest > PAGE_BOUND_ALONE)
		out->made += need->inserts;
	/* Of two pages and more, each has more than half of one. */
	if (need->longest > PAGE_BOUND_RUN)
		out->run += page_bound_content(need) / 2048 + 1;
}

/* For up to PAGE_BOUND_FEW records in trees of up to @depth levels. */
static inline void page_bound_few(const struct store_need *need, unsigned int depth,
				  struct page_bound *out)
{
	out->copies = page_bound_copies(need, depth);
	out->made = need->inserts * (depth + 1ull) + need->deletes * (uint64_t)depth;
	page_bound_alone(need, PAGE_BOUND_AGAIN * (uint64_t)need->rewrites, out);
}

/* For any number. */
void page_bound_many(const struct store_need *need, const struct page_shape *shape,
		     struct page_bound *out);

#endif
