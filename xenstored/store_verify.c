/* SPDX-License-Identifier: MIT */
/*
 * store_verify.c - whether an environment is whole. LMDB's commit ends with one small write of a
 * page of its own ("meta": roots, size, number of the commit), without a checksum. Torn, it may
 * join an old root and a new number; nothing of that can be seen in the records alone. So each
 * commit puts its number among the records, and the pages are counted.
 * Layout: LMDB 0.9, data version 1 (mdb_env_info(3), and the two pages as a file shows them).
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The database of free pages has this fixed number. */
#define FREE_DBI 0

#define PAGE_HEADER 16

struct look {
	MDB_txn *txn;
	size_t page_size, nr_pages;
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

/* The page that a value is in: it begins with its own number. */
static size_t page_of(const struct look *l, const void *data)
{
	size_t nr;

	memcpy(&nr, (const void *)((uintptr_t)data & ~(uintptr_t)(l->page_size - 1)), sizeof(nr));
	return nr;
}

static int look_at_records(struct store *s, struct look *l)
{
	size_t leaf = 0;
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(l->txn, s->dbi, &cursor), ret = 0;

	if (rc)
		return -EBADMSG;
	while (ret == 0 && (rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		const char *value;
		size_t len;

		ret = store_unwrap(&k, &v, &value, &len);
		if (ret == 0 && store_is_stamp(&k) && len == sizeof(l->stamp))
			memcpy(&l->stamp, value, len);
		if (ret == 0 && page_of(l, k.mv_data) != leaf) {
			leaf = page_of(l, k.mv_data);
			ret = note(l, leaf) ? 0 : -EBADMSG;
		}
		if (ret == 0 && page_of(l, v.mv_data) != leaf)
			ret = note(l, page_of(l, v.mv_data)) ? 0 : -EBADMSG;
		l->nr_records++;
	}
	mdb_cursor_close(cursor);
	return ret < 0 ? ret : rc == MDB_NOTFOUND ? 0 : -EBADMSG;
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

/* --- the two pages with the roots --- */

#define META_PAGES	2
#define META_COMMIT_AT	(PAGE_HEADER + 128)

static int meta_io(const char *dir, size_t page_size, char *pages, int nr_written)
{
	char path[600];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -EIO;
	if (nr_written < 0)
		n = pread(fd, pages, META_PAGES * page_size, 0);
	else
		n = pwrite(fd, pages + (size_t)nr_written * page_size, page_size,
			   (off_t)((size_t)nr_written * page_size));
	if (nr_written >= 0 && fsync(fd) < 0)
		n = -1;
	close(fd);
	return n == (ssize_t)(nr_written < 0 ? META_PAGES * page_size : page_size) ? 0 : -EIO;
}

static uint64_t meta_commit(const char *page)
{
	uint64_t nr;

	memcpy(&nr, page + META_COMMIT_AT, sizeof(nr));
	return nr;
}

/* Puts the roots of the commit before the last one in the place of the last one's. */
static int step_back(const char *dir, char *pages, size_t page_size, int *newer)
{
	int ret = meta_io(dir, page_size, pages, -1);
	char *to, *from;

	if (ret < 0)
		return ret;
	*newer = meta_commit(pages + page_size) > meta_commit(pages);
	to = pages + (size_t)*newer * page_size;
	from = pages + (size_t)!*newer * page_size;
	if (meta_commit(to) == meta_commit(from))
		return -EBADMSG;
	/* The page's header has its number. */
	memcpy(to + PAGE_HEADER, from + PAGE_HEADER, page_size - PAGE_HEADER);
	return meta_io(dir, page_size, pages, *newer);
}

static int open_and_verify(const char *dir, size_t map_size, struct store **out)
{
	int ret = store_open(dir, map_size, true, out);

	if (ret < 0)
		return ret;
	ret = store_verify(*out);
	if (ret < 0) {
		store_close(*out);
		*out = NULL;
	}
	return ret;
}

int store_open_whole(const char *dir, size_t map_size, struct store **out, bool *stepped_back)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	int newer, ret = open_and_verify(dir, map_size, out);
	char *pages, *was;

	*stepped_back = false;
	if (ret != -EBADMSG)
		return ret;
	pages = malloc(META_PAGES * page_size);
	was = malloc(META_PAGES * page_size);
	if (!pages || !was) {
		ret = -ENOMEM;
	} else if (meta_io(dir, page_size, was, -1) == 0 &&
		   step_back(dir, pages, page_size, &newer) == 0) {
		ret = open_and_verify(dir, map_size, out);
		*stepped_back = ret == 0;
		if (ret < 0 && meta_io(dir, page_size, was, newer) < 0)
			ret = -EIO;
	}
	free(pages);
	free(was);
	return ret;
}
