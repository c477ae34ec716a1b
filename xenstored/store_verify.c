/* SPDX-License-Identifier: MIT */
/*
 * store_verify.c - whether an environment is whole. LMDB's commit ends with one small write of a
 * page of its own ("meta": roots, size, number of the commit), without a checksum. Torn, it may
 * join an old root and a new number; nothing of that can be seen in the records alone. So each
 * commit puts its number among the records, and the pages are counted; store_roots.c compares the
 * two pages.
 * Layout: LMDB 0.9, data version 1 (mdb_env_info(3), and the two pages as a file shows them).
 */
#include "store_priv.h"

#include <errno.h>
#include <stdlib.h>

/* The database of free pages has this fixed number. */
#define FREE_DBI 0

/* In the header of a page: where its records begin, which reach from there to its end. */
#define PAGE_UPPER_AT 14
/* In front of a record's key. */
#define RECORD_HEADER 8

struct look {
	MDB_txn *txn;
	MDB_cursor *by_key;
	size_t page_size, nr_pages;
	const char *map;	/* page 0; NULL: not known yet */
	unsigned char *seen;	/* a bit a page: free, or a leaf, or the first of a long value */
	size_t nr_free, nr_records;
	uint64_t stamp;		/* 0: none */
};

/* Notes page @nr. False: it was noted before, or is none. */
static bool note(struct look *l, size_t nr)
{
	if (nr < 2 || nr >= l->nr_pages || l->seen[nr / 8] & 1u << nr % 8)
		return false;
	l->seen[nr / 8] |= (unsigned char)(1u << nr % 8);
	return true;
}

/* Lists of free pages: a count, then page numbers; the key is the commit that freed them. */
static int look_at_free(struct look *l, uint64_t last_commit)
{
	uint64_t newest = 0;
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(l->txn, FREE_DBI, &cursor);

	if (rc)
		return -EBADMSG;
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		bool once = true;
		size_t nr, page;

		if (k.mv_size != sizeof(newest) || v.mv_size < sizeof(nr))
			break;
		memcpy(&newest, k.mv_data, sizeof(newest));
		memcpy(&nr, v.mv_data, sizeof(nr));
		if (nr > v.mv_size / sizeof(nr) - 1 || newest > last_commit)
			break;
		/* It may have none: LMDB leaves a list that it has used up. */
		for (size_t i = 1; once && i <= nr; i++) {
			memcpy(&page, (const char *)v.mv_data + i * sizeof(page), sizeof(page));
			once = note(l, page);
		}
		if (!once)
			break;
		l->nr_free += nr;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : -EBADMSG;
}

static const char *page_at(const struct look *l, const void *data)
{
	return (const char *)((uintptr_t)data & ~(uintptr_t)(l->page_size - 1));
}

/* The page that a value is in begins with its own number. Notes it, once. */
static bool note_page(struct look *l, const char *page)
{
	size_t nr;

	memcpy(&nr, page, sizeof(nr));
	if (!note(l, nr))
		return false;
	if (!l->map)
		l->map = page - nr * l->page_size;
	return page == l->map + nr * l->page_size;
}

/* A page's list of its records may name the remains of one that is no more. */
static bool in_used_part(const char *page, const MDB_val *key)
{
	uint16_t upper;

	memcpy(&upper, page + PAGE_UPPER_AT, sizeof(upper));
	return (const char *)key->mv_data - RECORD_HEADER >= page + upper;
}

static bool ascends(const MDB_val *last, const MDB_val *key)
{
	size_t common = last->mv_size < key->mv_size ? last->mv_size : key->mv_size;
	int order = last->mv_data ? memcmp(last->mv_data, key->mv_data, common) : -1;

	return order < 0 || (order == 0 && last->mv_size < key->mv_size);
}

/* Who asks for @key from the root on finds this very record, not only who reads all of them. */
static bool is_found(const struct look *l, const MDB_val *key)
{
	MDB_val k = *key, v;

	return mdb_cursor_get(l->by_key, &k, &v, MDB_SET_KEY) == 0 && k.mv_data == key->mv_data;
}

/* One record, where it is, behind @last. Of each page's first and last, the way to them too. */
static bool is_in_place(struct look *l, const MDB_val *last, const MDB_val *k, const MDB_val *v)
{
	const char *leaf = page_at(l, k->mv_data);

	if (!ascends(last, k))
		return false;
	if (!last->mv_data || leaf != page_at(l, last->mv_data)) {
		if (!note_page(l, leaf) || !is_found(l, k))
			return false;
		if (last->mv_data && !is_found(l, last))
			return false;
	}
	if (!in_used_part(leaf, k))
		return false;
	return page_at(l, v->mv_data) == leaf || note_page(l, page_at(l, v->mv_data));
}

static int look_at_each(struct look *l, MDB_cursor *cursor)
{
	MDB_val k, v, last = { 0 };
	int rc;

	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		const char *value;
		size_t len;
		int ret = store_unwrap(&k, &v, &value, &len);

		if (ret < 0)
			return ret;
		if (!is_in_place(l, &last, &k, &v))
			return -EBADMSG;
		if (store_is_stamp(&k) && len == sizeof(l->stamp))
			memcpy(&l->stamp, value, len);
		l->nr_records++;
		last = k;
	}
	if (rc != MDB_NOTFOUND || (last.mv_data && !is_found(l, &last)))
		return -EBADMSG;
	return 0;
}

static int look_at_records(struct store *s, struct look *l)
{
	MDB_cursor *cursor = NULL;
	int ret = -EBADMSG;

	if (mdb_cursor_open(l->txn, s->dbi, &cursor) == 0 &&
	    mdb_cursor_open(l->txn, s->dbi, &l->by_key) == 0)
		ret = look_at_each(l, cursor);
	if (l->by_key)
		mdb_cursor_close(l->by_key);
	if (cursor)
		mdb_cursor_close(cursor);
	return ret;
}

static size_t pages(const MDB_stat *st)
{
	return st->ms_branch_pages + st->ms_leaf_pages + st->ms_overflow_pages;
}

static int look_at_all(struct store *s, struct look *l, const MDB_envinfo *info)
{
	MDB_stat main_db, free_db;
	int ret;

	if (mdb_stat(l->txn, s->dbi, &main_db) || mdb_stat(l->txn, FREE_DBI, &free_db))
		return -EBADMSG;
	ret = look_at_free(l, info->me_last_txnid);
	if (ret == 0)
		ret = look_at_records(s, l);
	if (ret < 0)
		return ret;
	if (l->nr_records != main_db.ms_entries)
		return -EBADMSG;
	/* Two pages hold the roots; each other one is free, or of one of the two trees. */
	if (pages(&main_db) + pages(&free_db) + l->nr_free + 2 != l->nr_pages)
		return -EBADMSG;
	/* A copy begins to count anew. */
	if (l->stamp && info->me_last_txnid > 1 && l->stamp != info->me_last_txnid)
		return -EBADMSG;
	return 0;
}

int store_verify(struct store *s)
{
	MDB_envinfo info;
	MDB_stat st;
	struct look l = { 0 };
	int ret;

	mdb_env_info(s->env, &info);
	mdb_env_stat(s->env, &st);
	l.page_size = st.ms_psize;
	l.nr_pages = info.me_last_pgno + 1;
	if (l.page_size < 512 || l.nr_pages > info.me_mapsize / l.page_size + 1)
		return -EBADMSG;
	l.seen = calloc(l.nr_pages / 8 + 1, 1);
	if (!l.seen)
		return -ENOMEM;
	ret = store_errno(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &l.txn));
	if (ret == 0) {
		ret = look_at_all(s, &l, &info);
		mdb_txn_abort(l.txn);
	}
	free(l.seen);
	return ret;
}

static int open_and_verify(const char *dir, size_t map_size, struct store **out, bool *differ)
{
	int ret = store_open(dir, map_size, true, out);

	if (ret < 0)
		return ret;
	ret = store_verify(*out);
	if (ret == 0)
		ret = store_roots_agree(*out, differ);
	if (ret < 0) {
		store_close(*out);
		*out = NULL;
	}
	return ret;
}

int store_open_whole(const char *dir, size_t map_size, struct store **out, bool *stepped_back)
{
	struct store_roots roots;
	int ret;

	*stepped_back = false;
	ret = open_and_verify(dir, map_size, out, stepped_back);
	if (ret != -EBADMSG || store_roots_step_back(dir, &roots) < 0)
		return ret;
	ret = open_and_verify(dir, map_size, out, stepped_back);
	*stepped_back = ret == 0;
	if (ret < 0 && store_roots_put_back(dir, &roots) < 0)
		ret = -EIO;
	return ret;
}
