/* SPDX-License-Identifier: MIT */
/* page_bound.c - see page_bound.h. Source: liblmdb 0.9.24, mdb_page_split(), mdb_rebalance(). */
#include "page_bound.h"

/* Bytes of content on a page, at least, where rows of records have been put on pages. */
#define HALF		2048u
/* Pages below a branch's page, at least, in an order that nobody has made up. */
#define ON_BRANCH	4u

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Nobody has chosen the keys. A page that is there may be full: the first new record on it divides
 * it, and a row of records that begins there ends on a page of its own; a record in front of the one
 * before it may be alone on its page. A row fills its pages but for what one record more would need;
 * what comes between others leaves them half full.
 */
static uint64_t made_by_rows(const struct store_need *need, const struct page_shape *shape)
{
	uint64_t leaves = 2 * least(need->inserts, shape->leaves) + need->backwards +
			  page_bound_content(need) / HALF;

	return leaves + leaves / ON_BRANCH + least(need->inserts, shape->branches) + 64;
}

/*
 * A split leaves two pages of which one may be full again after two more entries, at worst, and a
 * page that was full is split by one: so above the leaves half as many on each level as below it.
 */
static uint64_t made_by_inserts(const struct store_need *need, const struct page_shape *shape)
{
	uint64_t made = 2 * (uint64_t)need->inserts + 3 * shape->branches + 32;

	if (need->trusted)
		made = least(made, made_by_rows(need, shape));
	return need->inserts ? made : 0;
}

/*
 * Deletions make pages only where a longer key comes into a full branch, at most one for each; a
 * third of them after the first ones, because each half of a split one has room for three. A branch
 * has at least two pages below it, so there are never more than leaves.
 */
static uint64_t made_by_deletes(const struct store_need *need, const struct page_shape *shape)
{
	uint64_t made = need->deletes / 3 + 3 * shape->branches + 16;

	return need->deletes ? least(made, shape->leaves + 16) : 0;
}

void page_bound_many(const struct store_need *need, const struct page_shape *shape,
		     struct page_bound *out)
{
	*out = (struct page_bound){
		.copies = least(page_bound_copies(need, shape->depth),
				shape->leaves + shape->branches),
		.made = made_by_inserts(need, shape) + made_by_deletes(need, shape),
	};
	page_bound_alone(need, least(PAGE_BOUND_AGAIN * (uint64_t)need->rewrites, shape->overflow),
			 out);
}
