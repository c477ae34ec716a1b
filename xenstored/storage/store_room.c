/* SPDX-License-Identifier: MIT */
/*
 * store_room.c - room for requests: the blocks of the file, and who has been promised what of them.
 *
 * LMDB fails for want of pages only where it does not matter any more: a transaction that has
 * begun a request cannot be undone. So each request asks before, for the most that page_bound.h
 * says, and what a commit itself needs is never given away.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "free_list.h"
#include "page_bound.h"
#include "store_priv.h"

#define PAGE		STORE_PAGE
/* The file grows by this part of it, but at least by so much. */
#define STEP_PART	32u
#define STEP_MIN	((uint64_t)1 << 20)
/* A file system that has less than this left is full. */
#define STEP_LEAST	((uint64_t)64 << 10)
/* Pages that are there for a turn's requests; fewer are left: the file grows. */
#define MARGIN		1024u
/* Of them, what only deletions may use; and of these, runs. */
#define RESERVE		256u
#define RESERVE_RUNS	32u
/* LMDB's list of changed pages ends at 131,071. */
#define TXN_MAX		120000u
/* Records that the commit puts, or that were asked for before one in the middle of a request. */
#define STANDING	5u
/* Changed records that a tree needs at least to become higher once more: a root is full by then. */
#define HIGHER_AFTER	6u
/* After so many changes the levels of the trees are looked at, at a commit; or before one. */
#define LOOK_AFTER	24u
#define LOOK_AT_ONCE	48u
#define RETRY_NS	100000000u
#define BORROWED_NS	1000000000u

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t next_page(struct store *l)
{
	MDB_envinfo info;

	store_must("info", mdb_env_info(l->env, &info));
	return info.me_last_pgno + 1;
}

/* LMDB leaves the last one alone. */
static uint64_t pages_behind(const struct store *l)
{
	uint64_t all = l->size / PAGE;

	return all > l->next_page + 1 ? all - l->next_page - 1 : 0;
}

/* What a commit needs: root and list of free pages, as a run, too; twice, because it may grow. */
static uint64_t commit_pages(const struct store *l)
{
	return 32 + l->size / PAGE / 128;
}

static uint64_t standing_pages(const struct store *l)
{
	return 16 + STANDING * (2 * (uint64_t)l->highest + 1);
}

/* --- what is given away --- */

static void look_at(struct store *l, enum store_table t)
{
	MDB_stat st;

	store_must(store_table_name[t], mdb_stat(l->txn, l->dbi[t], &st));
	l->depth[t] = st.ms_depth;
}

/* The levels of the tables that may have got more. */
static void look_at_changed(struct store *l)
{
	unsigned int highest = 1;

	for (int t = 0; t < STORE_TABLES; t++) {
		if (l->changed & 1u << t)
			look_at(l, (enum store_table)t);
		if (l->depth[t] > highest)
			highest = l->depth[t];
	}
	l->highest = highest;
	l->changed = l->changes = 0;
}

void room_open(struct store *l)
{
	l->next_page = next_page(l);
	l->highest = 1;
	l->changed = (1u << STORE_TABLES) - 1;
	l->changes = LOOK_AT_ONCE;
}

void room_begin(struct store *l)
{
	uint64_t behind = pages_behind(l);

	l->kept = commit_pages(l) + standing_pages(l);
	behind = behind > l->kept ? behind - l->kept : 0;
	l->budget = (struct store_budget){ behind, behind, l->next_page };
	if (l->budget.pages > TXN_MAX)
		l->budget.pages = TXN_MAX;
	l->began = l->budget;
}

void room_again(struct store *l)
{
	l->budget = l->began;
}

/* What has been changed is known best before the commit. */
void room_before_commit(struct store *l)
{
	if (l->changes >= LOOK_AFTER)
		look_at_changed(l);
}

/* Only what came from behind is seen; what was used of that was asked for. */
void room_committed(struct store *l)
{
	uint64_t asked = l->began.pages - l->budget.pages + l->kept;
	uint64_t before = l->next_page, used;

	l->next_page = next_page(l);
	used = l->next_page - before;
	if (used > asked && used - asked > l->overdrawn)
		l->overdrawn = used - asked;
}

uint64_t store_overdrawn(const struct store *l)
{
	return l->overdrawn;
}

static void shape_of(struct store *l, struct page_shape *shape)
{
	MDB_stat st;

	*shape = (struct page_shape){ .depth = 1 };
	for (int t = 0; t < STORE_TABLES; t++) {
		store_must(store_table_name[t], mdb_stat(l->txn, l->dbi[t], &st));
		shape->leaves += st.ms_leaf_pages;
		shape->branches += st.ms_branch_pages;
		shape->overflow += st.ms_overflow_pages;
		if (st.ms_depth > shape->depth)
			shape->depth = st.ms_depth;
	}
}

static void bound(struct store *l, const struct store_need *need, struct page_bound *out)
{
	struct page_shape shape;

	if (store_need_records(need) <= PAGE_BOUND_FEW) {
		if (l->changes >= LOOK_AT_ONCE)
			look_at_changed(l);
		page_bound_few(need, l->highest + l->changes / HIGHER_AFTER, out);
	} else {
		shape_of(l, &shape);
		page_bound_many(need, &shape, out);
	}
	/* None is copied twice. */
	if (out->copies > l->budget.copies)
		out->copies = l->budget.copies;
}

static uint64_t pages_of(const struct page_bound *b)
{
	return b->copies + b->made + b->run;
}

/* What is kept from all but those that free something. */
static uint64_t reserve_from(bool frees)
{
	return frees ? 0 : RESERVE;
}

/* More than any transaction is given: no growth helps. */
static bool can_never_fit(const struct page_bound *b, bool frees)
{
	return pages_of(b) + reserve_from(frees) > TXN_MAX;
}

static bool fits(const struct store *l, const struct page_bound *b, bool frees)
{
	return l->budget.pages >= pages_of(b) + reserve_from(frees) &&
	       l->budget.runs >= b->run + (frees ? 0 : RESERVE_RUNS);
}

static void take(struct store *l, const struct page_bound *b)
{
	l->budget.pages -= pages_of(b);
	l->budget.runs -= b->run;
	l->budget.copies -= b->copies;
}

/* --- what was given back --- */

/* Counted between two transactions, or beside one: that may not look at the list itself. */
static uint64_t given_back(struct store *l, uint64_t *later)
{
	struct free_pages pages;
	MDB_txn *txn;

	store_must("free pages", mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn));
	store_must("free pages", free_list_count(l->env, txn, &pages));
	mdb_txn_abort(txn);
	*later = pages.later;
	return pages.now;
}

void store_usage(struct store *l, uint64_t *size, uint64_t *free_bytes)
{
	uint64_t later, nr = given_back(l, &later);

	*size = l->size;
	*free_bytes = (pages_behind(l) + nr + later) * PAGE;
}

/* Counts it in; but what a commit needs has to be behind. */
static void add_given_back(struct store *l, uint64_t *later)
{
	uint64_t behind = pages_behind(l), nr = given_back(l, later);

	if (behind < commit_pages(l))
		return;
	behind += nr;
	l->budget.pages = behind > l->kept ? behind - l->kept : 0;
	if (l->budget.pages > TXN_MAX)
		l->budget.pages = TXN_MAX;
	l->began.pages = l->budget.pages;
}

/* --- the file --- */

static bool grow_by(struct store *l, uint64_t step)
{
	if (l->size + step > l->limit)
		l->refused = -EFBIG;
	else
		l->refused = fallocate(l->fd, 0, (off_t)l->size, (off_t)step) < 0 ? -errno : 0;
	if (l->refused)
		return false;
	l->size += step;
	store_must("map", mdb_env_set_mapsize(l->env, l->size));
	l->refused_ns = 0;
	return true;
}

/* Allocates blocks behind the end and lets LMDB use them. No transaction may be open. */
static void grow(struct store *l, uint64_t pages)
{
	uint64_t step = l->size / STEP_PART > STEP_MIN ? l->size / STEP_PART : STEP_MIN;

	/* All that one request needs, or as if it had not been. */
	if (step < pages * PAGE && grow_by(l, pages * PAGE))
		return;
	/* Less and less, as the file system gets full. */
	for (; step >= STEP_LEAST; step /= 2) {
		if (grow_by(l, step / PAGE * PAGE))
			return;
	}
	l->refused_ns = monotonic_ns();
}

/* Between two transactions: whether to try to have more room. */
static void keep(struct store *l, uint64_t pages)
{
	uint64_t behind = pages_behind(l);

	if (behind >= pages)
		return;
	if (l->refused_ns && monotonic_ns() - l->refused_ns < RETRY_NS)
		return;
	grow(l, pages - behind);
}

/* What one request has needed at most others may have more use for. */
static void give_back_borrowed(struct store *l)
{
	uint64_t size = (l->next_page + l->next_page / STEP_PART + 2 * MARGIN) * PAGE;

	if (monotonic_ns() - l->borrowed_ns < BORROWED_NS)
		return;
	l->borrowed_ns = 0;
	if (size >= l->size)
		return;
	l->size = size;
	/* LMDB cuts the file. */
	store_must("map", mdb_env_set_mapsize(l->env, size));
}

void room_keep_margin(struct store *l)
{
	keep(l, MARGIN);
	if (l->borrowed_ns)
		give_back_borrowed(l);
}

/* --- asking --- */

/* A commit without a change would be none. */
static void commit_again(struct store *l)
{
	unsigned char rec[STORE_HEAD + 64];
	struct store_bytes old;

	if (store_get(l, STORE_META, "tree", 4, &old) && old.len <= sizeof(rec) - STORE_HEAD) {
		memcpy(rec + STORE_HEAD, old.data, old.len);
		store_put(l, STORE_META, "tree", 4, rec, STORE_HEAD + old.len);
	}
	store_txn_commit(l);
	store_txn_begin(l);
}

static void begin_larger(struct store *l, uint64_t pages)
{
	uint64_t size = l->size;

	store_txn_drop(l);
	keep(l, pages + MARGIN + l->kept);
	if (l->size > size)
		l->borrowed_ns = monotonic_ns();
	store_txn_begin(l);
}

/*
 * Commits what is complete; then first what is there is counted, then the file grows, then what
 * the last commits have given back becomes usable by two more.
 */
static bool make_room(struct store *l, const struct store_need *need, struct page_bound *b)
{
	uint64_t later;

	store_txn_commit(l);
	keep(l, MARGIN);
	store_txn_begin(l);
	bound(l, need, b);
	if (fits(l, b, need->frees))
		return true;
	if (can_never_fit(b, need->frees))
		return false;
	add_given_back(l, &later);
	if (fits(l, b, need->frees))
		return true;
	begin_larger(l, pages_of(b));
	add_given_back(l, &later);
	for (int i = 0; i < 2 && later && !fits(l, b, need->frees); i++) {
		commit_again(l);
		add_given_back(l, &later);
	}
	bound(l, need, b);
	return fits(l, b, need->frees);
}

int store_room_for(struct store *l, const struct store_need *need)
{
	struct page_bound b;

	bound(l, need, &b);
	if (!fits(l, &b, need->frees) && !make_room(l, need, &b))
		return -ENOSPC;
	take(l, &b);
	return 0;
}

static struct store_need need_of(size_t records, size_t bytes, bool frees)
{
	bool deletes = frees && bytes == 0;

	return (struct store_need){
		.inserts = deletes ? 0 : records,
		.deletes = deletes ? records : 0,
		.bytes = bytes,
		.longest = bytes,
		.frees = frees,
	};
}

int store_room(struct store *l, size_t records, size_t bytes, bool frees)
{
	const struct store_need need = need_of(records, bytes, frees);

	return store_room_for(l, &need);
}

bool store_spare(struct store *l, size_t records, size_t bytes)
{
	const struct store_need need = need_of(records, bytes, true);
	struct page_bound b;

	bound(l, &need, &b);
	if (!fits(l, &b, true))
		return false;
	take(l, &b);
	return true;
}
