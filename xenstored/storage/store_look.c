/* SPDX-License-Identifier: MIT */
/*
 * store_look.c - see store_look.h. The head of a page is the only thing of LMDB's format that is
 * known (page_head.h): the rest is what its functions find, also when the pages that are called
 * free have been made useless. LMDB has checksums of nothing.
 */
#include "store_look.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "page_head.h"
#include "store_priv.h"

#define PAGE STORE_PAGE
/* LMDB's own two databases: which pages are free, and where the tables are. */
#define FREE_DBI 0
#define MAIN_DBI 1

/* --- pages --- */

static bool bit_of(const unsigned char *bits, uint64_t page)
{
	return bits[page / 8] & 1u << page % 8;
}

static void bit_set(unsigned char *bits, uint64_t page)
{
	bits[page / 8] |= (unsigned char)(1u << page % 8);
}

/* The page that @at lies on; NULL: it lies on none. */
static const struct page_head *page_of(const struct look *l, const void *at)
{
	const struct page_head *page = page_head_of(at, PAGE);

	if ((const char *)page < l->first || (const char *)page > l->first + l->last * PAGE)
		return NULL;
	return page;
}

static bool number_right(const struct look *l, const struct page_head *page)
{
	/* Divided, not multiplied: the highest bits of a number count, too. */
	return (uint64_t)((const char *)page - l->first) / PAGE == page->number;
}

/* The entries are behind what says where they are, and begin where the free space ends. */
static bool entries_whole(const struct page_head *page)
{
	unsigned int lowest = PAGE;

	if (page->lower < sizeof(*page) || page->lower > page->upper || page->upper > PAGE ||
	    page->lower % 2)
		return false;
	for (unsigned int i = 0; i < (page->lower - sizeof(*page)) / 2; i++) {
		if (page->at[i] < page->upper || page->at[i] >= PAGE)
			return false;
		lowest = page->at[i] < lowest ? page->at[i] : lowest;
	}
	return lowest == page->upper;
}

/* Of each page that is in use; those of trees are counted as they say they are. */
static bool pages_whole(struct look *l)
{
	uint64_t nr_branches = 0;

	for (uint64_t i = 2; i <= l->last; i++) {
		const struct page_head *page = (const void *)(l->first + i * PAGE);

		if (bit_of(l->free, i) || bit_of(l->content, i))
			continue;
		if (!number_right(l, page))
			return false;
		if (page->flags == PAGE_RUN)
			continue;
		if ((page->flags != PAGE_BRANCH && page->flags != PAGE_LEAF) ||
		    !entries_whole(page))
			return false;
		nr_branches += page->flags == PAGE_BRANCH;
	}
	return nr_branches == l->nr_branches;
}

/* A value that is too long for a page has a run of them; 0: it makes no sense. */
static uint64_t run_of(struct look *l, const MDB_val *value)
{
	const struct page_head *page = page_of(l, value->mv_data);
	uint64_t nr = ((uintptr_t)value->mv_data % PAGE + value->mv_size + PAGE - 1) / PAGE;
	uint32_t said;

	if (!page || !number_right(l, page) || page->flags != PAGE_RUN)
		return 0;
	memcpy(&said, &page->lower, sizeof(said));
	if (said != nr || nr > l->last - page->number + 1)
		return 0;
	for (uint64_t i = 1; i < nr; i++)
		bit_set(l->content, page->number + i);
	return nr;
}

/* --- trees --- */

/* LMDB may refuse for want of memory: that is noted, and no fault of the file. */
static bool cursor_made(struct look *l, MDB_dbi dbi, MDB_cursor **cursor)
{
	int rc = mdb_cursor_open(l->txn, dbi, cursor);

	l->starved |= rc == ENOMEM;
	return rc == 0;
}

/* A search comes to where the walk is: the keys in the branches are right. */
static bool is_found(struct look *l, MDB_dbi dbi, const MDB_val *key, const MDB_val *value)
{
	MDB_val k = *key, found = { 0 };
	MDB_cursor *cursor;

	/* Not mdb_get(): that will not look into LMDB's own. */
	if (!cursor_made(l, dbi, &cursor))
		return false;
	if (mdb_cursor_get(cursor, &k, &found, MDB_SET))
		found.mv_data = NULL;
	mdb_cursor_close(cursor);
	return found.mv_data == value->mv_data;
}

/* What was found of a tree, and what it says of itself. */
static bool counts_right(struct look *l, MDB_dbi dbi, const MDB_stat *found)
{
	MDB_stat st;

	if (mdb_stat(l->txn, dbi, &st))
		return false;
	l->nr_branches += st.ms_branch_pages;
	return st.ms_psize == PAGE && st.ms_entries == found->ms_entries &&
	       st.ms_leaf_pages == found->ms_leaf_pages &&
	       st.ms_overflow_pages == found->ms_overflow_pages &&
	       (st.ms_depth == 0) == (st.ms_entries == 0) &&
	       (st.ms_depth == 1) == (st.ms_leaf_pages == 1) &&
	       (st.ms_depth == 2) == (st.ms_branch_pages == 1) &&
	       st.ms_branch_pages + 1 >= st.ms_depth;
}

typedef bool is_record(struct look *l, unsigned int table, const MDB_val *key,
		       const MDB_val *value);

/* One page of records: whether the first and the last of them are found, and those between. */
struct leaf {
	const struct page_head *page;
	MDB_val key, value;	/* the last one so far */
};

/* @key is behind the last one, or begins the next page; @key NULL: there is none. */
static bool leaf_goes_on(struct look *l, MDB_dbi dbi, struct leaf *leaf, const MDB_val *key,
			 const MDB_val *value, MDB_stat *found)
{
	const struct page_head *page = key ? page_of(l, key->mv_data) : NULL;

	if (leaf->page && page != leaf->page && !is_found(l, dbi, &leaf->key, &leaf->value))
		return false;
	if (!key)
		return true;
	if (!page || (leaf->page && mdb_cmp(l->txn, dbi, &leaf->key, key) >= 0))
		return false;
	if (page != leaf->page) {
		found->ms_leaf_pages++;
		if (page->flags != PAGE_LEAF || !is_found(l, dbi, key, value))
			return false;
	}
	*leaf = (struct leaf){ page, *key, *value };
	return true;
}

/* Every record, in order, as many as it says, on as many pages. */
static bool tree_whole(struct look *l, MDB_dbi dbi, unsigned int table, is_record *good)
{
	MDB_stat found = { 0 };
	struct leaf leaf = { 0 };
	MDB_val key, value;
	MDB_cursor *cursor;
	int rc;

	if (!cursor_made(l, dbi, &cursor))
		return false;
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		if (!leaf_goes_on(l, dbi, &leaf, &key, &value, &found) ||
		    !good(l, table, &key, &value))
			return false;
		if (value.mv_size && page_of(l, value.mv_data) != leaf.page) {
			uint64_t run = run_of(l, &value);

			if (!run)
				return false;
			found.ms_overflow_pages += run;
		}
		found.ms_entries++;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND && leaf_goes_on(l, dbi, &leaf, NULL, NULL, &found) &&
	       counts_right(l, dbi, &found);
}

static bool is_ours(struct look *l, unsigned int table, const MDB_val *key, const MDB_val *value)
{
	(void)l;
	return store_record_whole((enum store_table)table, key, value);
}

static bool is_text(const MDB_val *key, const char *text)
{
	return key->mv_size == strlen(text) && memcmp(key->mv_data, text, key->mv_size) == 0;
}

static bool is_table(struct look *l, unsigned int table, const MDB_val *key, const MDB_val *value)
{
	(void)l;
	(void)table;
	(void)value;
	for (int t = 0; t < STORE_TABLES; t++)
		if (is_text(key, store_table_name[t]))
			return true;
	return is_text(key, store_names_before);
}

/* Pages of the file, in order, none twice; noted in l->free. The numbers are those of commits. */
static bool is_free_list(struct look *l, unsigned int noted, const MDB_val *key,
			 const MDB_val *value)
{
	uint64_t nr = 0, page, before = UINT64_MAX, commit;

	if (key->mv_size != sizeof(commit) || value->mv_size < sizeof(nr))
		return false;
	memcpy(&commit, key->mv_data, sizeof(commit));
	memcpy(&nr, value->mv_data, sizeof(nr));
	if (commit > mdb_txn_id(l->txn) || value->mv_size / sizeof(page) <= nr)
		return false;
	for (uint64_t i = 1; i <= nr; i++, before = page) {
		memcpy(&page, (char *)value->mv_data + i * sizeof(page), sizeof(page));
		if (page < 2 || page > l->last || page >= before ||
		    bit_of(l->free, page) != (noted != 0))
			return false;
		bit_set(l->free, page);
	}
	return true;
}

static bool note_free(struct look *l)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc;

	if (!cursor_made(l, FREE_DBI, &cursor))
		return false;
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
		if (!is_free_list(l, 0, &key, &value))
			return false;
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND;
}

int look_spoil_free(struct look *l)
{
	int fd;

	if (!note_free(l))
		return l->starved ? -ENOMEM : -EBADMSG;
	if (mdb_env_get_fd(l->env, &fd) ||
	    mmap(l->first, (l->last + 1) * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED)
		return -ENOMEM;
	for (uint64_t i = 2; i <= l->last; i++)
		if (bit_of(l->free, i))
			memset(l->first + i * PAGE, 0xff, 64);
	return 0;
}

/* No kind of order and no duplicates but what LMDB itself has; and how the whole is opened. */
static bool flags_right(struct look *l)
{
	unsigned int flags;

	if (mdb_env_get_flags(l->env, &flags) || flags != (MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS))
		return false;
	return mdb_dbi_flags(l->txn, MAIN_DBI, &flags) == 0 && flags == 0;
}

static bool table_whole(struct look *l, enum store_table t, const char *name, bool may_lack)
{
	unsigned int flags;
	MDB_dbi dbi;
	int rc = mdb_dbi_open(l->txn, name, 0, &dbi);

	if (rc == MDB_NOTFOUND && may_lack)
		return true;
	l->starved |= rc == ENOMEM;
	return rc == 0 && mdb_dbi_flags(l->txn, dbi, &flags) == 0 && flags == 0 &&
	       tree_whole(l, dbi, t, is_ours);
}

bool look_all_whole(struct look *l)
{
	bool whole = flags_right(l) && tree_whole(l, MAIN_DBI, 0, is_table) &&
		     tree_whole(l, FREE_DBI, 1, is_free_list);

	for (int t = 0; t < STORE_TABLES && whole; t++)
		whole = table_whole(l, (enum store_table)t, store_table_name[t],
				    store_table_may_lack((enum store_table)t));
	return whole && table_whole(l, STORE_NAMED, store_names_before, true) && pages_whole(l);
}
