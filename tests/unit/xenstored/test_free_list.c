/* SPDX-License-Identifier: MIT */
/*
 * test_free_list.c - which of the pages that were given back the next commit may use: what we
 * count, against what LMDB then does.
 */
#include "disk_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/free_list.h"

#define PAGES 200u

static MDB_env *env;
static MDB_dbi dbi;
static char path[100];

static int setup(void **state)
{
	MDB_txn *txn;

	(void)state;
	snprintf(path, sizeof(path), "/dev/shm/xs-free-%d", (int)getpid());
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 64u << 20), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOTLS, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	return 0;
}

static int teardown(void **state)
{
	char lock[120];

	(void)state;
	mdb_env_close(env);
	snprintf(lock, sizeof(lock), "%s-lock", path);
	unlink(lock);
	return unlink(path);
}

/* One commit with @nr records of a page each; or without them. */
static void commit(unsigned int from, unsigned int nr, bool put)
{
	static char page[3000];
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	for (unsigned int i = from; i < from + nr; i++) {
		MDB_val key = { sizeof(i), &i }, value = { sizeof(page), page };

		assert_int_equal(put ? mdb_put(txn, dbi, &key, &value, 0) :
				       mdb_del(txn, dbi, &key, NULL), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
}

static struct free_pages counted(void)
{
	struct free_pages f;
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(free_list_count(env, txn, &f), 0);
	mdb_txn_abort(txn);
	return f;
}

static size_t last_page(void)
{
	MDB_envinfo info;

	mdb_env_info(env, &info);
	return info.me_last_pgno;
}

/* How many pages a commit of that many takes from behind the end. */
static size_t grows_by(unsigned int nr)
{
	size_t before = last_page();

	commit(10000, nr, true);
	return last_page() - before;
}

static void test_what_the_last_commit_gave_back_is_for_the_one_after_the_next(void **state)
{
	struct free_pages f;

	(void)state;
	commit(0, PAGES, true);
	commit(0, PAGES, false);
	f = counted();
	assert_true(f.now < 20);
	assert_true(f.later >= PAGES);
	assert_true(grows_by(PAGES) >= PAGES - 20);
}

static void test_what_the_one_before_gave_back_is_for_the_next(void **state)
{
	struct free_pages f;

	(void)state;
	commit(0, PAGES, true);
	commit(0, PAGES, false);
	commit(5000, 1, true);
	f = counted();
	assert_true(f.now >= PAGES);
	assert_true(grows_by(PAGES) < 20);
}

static void test_what_somebody_reads_is_for_nobody(void **state)
{
	struct free_pages f;
	MDB_txn *reads;

	(void)state;
	commit(0, PAGES, true);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &reads), 0);
	commit(0, PAGES, false);
	commit(5000, 1, true);
	f = counted();
	assert_true(f.now < 20);
	assert_int_equal(f.later, 0);
	assert_true(grows_by(PAGES) >= PAGES - 20);
	mdb_txn_abort(reads);
	commit(5000, 1, true);
	assert_true(counted().now >= PAGES);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_the_last_commit_gave_back_is_for_the_one_after_the_next),
		T(test_what_the_one_before_gave_back_is_for_the_next),
		T(test_what_somebody_reads_is_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
