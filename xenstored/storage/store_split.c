/* SPDX-License-Identifier: MIT */
/*
 * store_split.c - where a leaf is divided that a new record does not fit on.
 *
 * LMDB divides it in the middle, but for a record behind its last one. Records mostly come in the
 * order of their keys, though seldom behind all others: what a domain has lies between what two
 * other domains have. Each page that such a row leaves behind would stay half empty. So where the
 * record put last lies on the same page, the page is divided right behind the new one: what follows
 * is taken away and put again such that LMDB begins a new page with it, and the row goes on at the
 * end of a page.
 *
 * What is known of a page is how much of it is free. Were that wrong, pages would be less full; the
 * records are the same in any case.
 */
#include "store_priv.h"

#include <string.h>

#include "page_head.h"
#include "xs_path.h"

/*
 * Of a page, without its head; of that, what has to stay so that LMDB does not join it to others.
 */
#define CONTENT (STORE_PAGE - 16u)
#define STAYS	(CONTENT / 2)
/* More records are not moved. */
#define TAIL_MAX 128u
/* Of the last page of STORE_CHILD so much is left for what comes between. */
#define END_FREE (CONTENT / 8)
/* What a record takes on its page beside key and value; to an even address. */
#define ENTRY	8u
#define POINTER 2u

/* The records of one page from the place of a new one on, which is not its first. */
struct tail {
	unsigned int nr;
	size_t room;		/* that they take on the page */
	struct {
		MDB_val key, value;
	} e[TAIL_MAX];
	unsigned char bytes[STORE_PAGE];
};

static const struct page_head *page_at(const MDB_val *v)
{
	return page_head_of(v->mv_data, STORE_PAGE);
}

static size_t free_on(const struct page_head *page)
{
	return (size_t)page->upper - page->lower;
}

static size_t entry_size(size_t key_len, size_t value_len)
{
	return POINTER + ((ENTRY + key_len + value_len + 1) & ~(size_t)1);
}

static bool same(const MDB_val *a, const MDB_val *b)
{
	return a->mv_size == b->mv_size && memcmp(a->mv_data, b->mv_data, a->mv_size) == 0;
}

/* Whether the record put last is on the page of the cursor's one. */
static bool in_a_row(const struct store *l, enum store_table t, MDB_cursor *c,
		     const struct page_head *page)
{
	MDB_val last = { l->last[t].len, (void *)l->last[t].key }, v;

	return last.mv_size && mdb_cursor_get(c, &last, &v, MDB_SET) == 0 && page_at(&v) == page;
}

static void *keep(struct tail *tail, size_t *used, const MDB_val *v)
{
	void *to = memcpy(tail->bytes + *used, v->mv_data, v->mv_size);

	*used += v->mv_size;
	return to;
}

/* From the first record not less than @key on. False: it is not to be moved. */
static bool tail_take(struct tail *tail, MDB_cursor *c, const MDB_val *key,
		      const struct page_head *page)
{
	MDB_val k = *key, v;
	size_t used = 0;
	int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);

	for (; rc == 0 && page_at(&k) == page; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
		if (tail->nr == TAIL_MAX || page_at(&v) != page)
			return false;
		tail->room += entry_size(k.mv_size, v.mv_size);
		tail->e[tail->nr].key = (MDB_val){ k.mv_size, keep(tail, &used, &k) };
		tail->e[tail->nr].value = (MDB_val){ v.mv_size, keep(tail, &used, &v) };
		tail->nr++;
	}
	return CONTENT - free_on(page) >= STAYS + tail->room;
}

static void must_put(struct store *l, enum store_table t, const MDB_val *key, const MDB_val *value)
{
	MDB_val k = *key, v = *value;

	store_must(store_table_name[t], mdb_put(l->txn, l->dbi[t], &k, &v, 0));
}

/* Puts the first record of the tail so long that the page of the cursor is full with it. */
static void fill_page(struct store *l, enum store_table t, MDB_cursor *c, const struct tail *tail)
{
	static unsigned char nothing[STORE_PAGE];
	const MDB_val *key = &tail->e[0].key, *value = &tail->e[0].value;
	MDB_val at, v, filled = { 0, nothing };
	size_t room;

	store_must(store_table_name[t], mdb_cursor_get(c, &at, &v, MDB_GET_CURRENT));
	room = free_on(page_at(&at)) & ~(size_t)1;
	if (room > CONTENT / 2 || room < entry_size(key->mv_size, value->mv_size) + POINTER)
		return;
	filled.mv_size = room - POINTER - ENTRY - key->mv_size;
	must_put(l, t, key, &filled);
}

/* The page ends with the new record, another one begins with the tail. */
static void divide(struct store *l, enum store_table t, MDB_cursor *c, MDB_val *key,
		   MDB_val *value, struct tail *tail)
{
	for (unsigned int i = 0; i < tail->nr; i++)
		store_must(store_table_name[t],
			   mdb_del(l->txn, l->dbi[t], &tail->e[i].key, NULL));
	store_must(store_table_name[t], mdb_cursor_put(c, key, value, 0));
	/* The second one does not fit any more: LMDB begins a page with the first one and it. */
	if (tail->nr > 1) {
		fill_page(l, t, c, tail);
		must_put(l, t, &tail->e[1].key, &tail->e[1].value);
	}
	for (unsigned int i = 0; i < tail->nr; i++)
		if (i != 1)
			must_put(l, t, &tail->e[i].key, &tail->e[i].value);
}

/* Whether the page of @next, behind @key, is to be divided at @key: @tail is what follows. */
static bool is_to_be_divided(struct store *l, enum store_table t, MDB_cursor *c,
			     const MDB_val *key, size_t size, const MDB_val *next,
			     struct tail *tail)
{
	const struct page_head *page = page_at(next);

	/* Without the tail there is room for it: LMDB divides once, as it would anyway. */
	return free_on(page) < size && size <= CONTENT / 2 && in_a_row(l, t, c, page) &&
	       tail_take(tail, c, key, page) && size <= free_on(page) + tail->room;
}

/*
 * Behind all others in STORE_CHILD: the page is left before it is full. The directories that are
 * still to come in a directory made not long ago then find room among the others, where each
 * of them would divide a full page. LMDB begins a page for a record that does not fit.
 */
static void leave_page(struct store *l, enum store_table t, MDB_cursor *c, MDB_val *key,
		       size_t size)
{
	static unsigned char nothing[STORE_PAGE];
	MDB_val last, v, long_one = { 0, nothing };

	if (size > CONTENT / 4 || mdb_cursor_get(c, &last, &v, MDB_LAST))
		return;
	if (free_on(page_at(&last)) < size || free_on(page_at(&last)) - size >= END_FREE)
		return;
	long_one.mv_size = free_on(page_at(&last)) - ENTRY - key->mv_size;
	store_must(store_table_name[t], mdb_cursor_put(c, key, &long_one, 0));
}

static void remember(struct store *l, enum store_table t, MDB_cursor *c, const MDB_val *key)
{
	struct store_last *last = &l->last[t];
	MDB_val at, v;

	last->len = key->mv_size;
	memcpy(last->key, key->mv_data, key->mv_size);
	last->free = mdb_cursor_get(c, &at, &v, MDB_GET_CURRENT) ? 0 : free_on(page_at(&at));
}

/* Whether the record put last has left so little that one that goes on behind it is looked at. */
static bool is_close(const struct store *l, enum store_table t, size_t size)
{
	return l->last[t].free < size + (t == STORE_CHILD ? END_FREE : 0);
}

/* False: it is there, and the cursor at it. */
static bool put_new(struct store *l, enum store_table t, MDB_cursor *c, MDB_val *key,
		    const MDB_val *value)
{
	MDB_val v = *value;
	int rc = mdb_cursor_put(c, key, &v, MDB_NOOVERWRITE);

	if (rc != MDB_KEYEXIST)
		store_must(store_table_name[t], rc);
	return rc == 0;
}

/* The same, where a page may have to be divided. */
static bool put_new_close(struct store *l, enum store_table t, MDB_cursor *c, MDB_val *key,
			  MDB_val *value, size_t size)
{
	struct tail tail XS_NOT_CLEARED;
	MDB_val next = *key, v;
	int rc = mdb_cursor_get(c, &next, &v, MDB_SET_RANGE);

	if (rc != MDB_NOTFOUND)
		store_must(store_table_name[t], rc);
	if (rc == 0 && same(&next, key))
		return false;
	tail.nr = 0;
	tail.room = 0;
	if (rc == 0 && is_to_be_divided(l, t, c, key, size, &next, &tail)) {
		divide(l, t, c, key, value, &tail);
		return true;
	}
	if (rc == MDB_NOTFOUND && t == STORE_CHILD)
		leave_page(l, t, c, key, size);
	store_must(store_table_name[t], mdb_cursor_put(c, key, value, 0));
	return true;
}

/* Whoever changes a record has mostly just read it. */
static bool is_at(MDB_cursor *c, const MDB_val *key)
{
	MDB_val at, v;

	return mdb_cursor_get(c, &at, &v, MDB_GET_CURRENT) == 0 && same(&at, key);
}

/* As put_new(), by the way that is cheapest for most. */
static bool put_if_new(struct store *l, enum store_table t, MDB_cursor *c, MDB_val *key,
		       MDB_val *value)
{
	const size_t size = entry_size(key->mv_size, value->mv_size);

	if (is_at(c, key))
		return false;
	return is_close(l, t, size) ? put_new_close(l, t, c, key, value, size) :
				      put_new(l, t, c, key, value);
}

void split_put(struct store *l, enum store_table t, MDB_cursor *c, MDB_val *key, MDB_val *value)
{
	if (put_if_new(l, t, c, key, value))
		remember(l, t, c, key);
	else
		store_must(store_table_name[t], mdb_cursor_put(c, key, value, MDB_CURRENT));
}
