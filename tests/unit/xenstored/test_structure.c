/* SPDX-License-Identifier: MIT */
/*
 * test_structure.c - damage to what is in no record of the live environment: LMDB's two first
 * pages, heads of pages, branches, its own lists. Claims: a flipped bit there costs nothing or is
 * named, at the start and after as much work again as there is. And that who could not look at
 * it, or has no room for what is whole, takes nothing back.
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "harness.h"
#include "lasting.h"
#include "live.h"
#include "mend_kit.h"
#include "store.h"
#include "store_priv.h"

/* Bytes of a page before its content, and of the two first pages that mean anything. */
#define HEAD 16u
#define ROOTS 152u
/* Where a root page has the number of its commit. */
#define AT_COMMIT 144u
#define AT_FLAGS 10u
#define BRANCH 1
#define LEAF 2

static bool log_has(const char *text)
{
	char name[100];

	snprintf(name, sizeof(name), "%s/log", mk.run);
	return files_contain(name, text);
}

static void flip(size_t at, unsigned int bit)
{
	mk.whole[at] ^= (char)(1u << bit);
	mend_lay_out(mk.used);
	mk.whole[at] ^= (char)(1u << bit);
	mend_try("byte", at);
}

/* Takes every page that is called free, changes every table, and makes trees higher and lower. */
static void work(struct server *srv)
{
	struct conn *c = t_client(srv, 0);
	char path[64], value[400] = "";

	for (unsigned int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/more/%u/%u", i % 9, i);
		memset(value, 'x', sizeof(value) - 1);
		assert_int_equal(t_write(c, 0, path, value), 0);
		if (i % 20 == 0)
			store_commit(srv->tree.store);
	}
	assert_int_equal(t_rm(c, 0, "/more"), 0);
	store_commit(srv->tree.store);
}

static void test_what_is_whole_is_left_as_it_is(void **state)
{
	mend_lay_out(mk.used);
	mend_try("whole", 0);
	assert_false(log_has("is damaged"));
}

static void test_first_pages(void **state)
{
	for (size_t page = 0; page < 2; page++)
		for (size_t at = page; at < ROOTS; at += live_count(3, 1))
			flip(page * MEND_PAGE + at, (unsigned int)at % 8);
}

/* It would make the commit before the last the newest, which is whole and not what was told. */
static void test_numbers_of_commits(void **state)
{
	const unsigned int before = mk.lost;

	for (size_t page = 0; page < 2; page++)
		for (unsigned int bit = 0; bit < 64; bit += bit < 16 ? 1 : live_count(9, 1))
			flip(page * MEND_PAGE + AT_COMMIT + bit / 8, bit % 8);
	assert_int_equal(mk.lost, before);
}

/* What says which commit is the last is believed where it makes sense only. */
static void test_the_mark_itself(void **state)
{
	assert_int_equal(mk.mark_len, 32);
	for (size_t at = 0; at < mk.mark_len; at += live_count(3, 1)) {
		mk.mark[at] ^= (char)(1u << at % 8);
		mend_lay_out(mk.used);
		mk.mark[at] ^= (char)(1u << at % 8);
		mend_try("byte of the mark", at);
		assert_false(log_has("is damaged"));
	}
}

/* @change runs in a commit that leaves no mark. */
static void commit_unmarked(void (*change)(MDB_txn *txn))
{
	char dir[80];
	MDB_env *env;
	MDB_txn *txn;

	sprintf(dir, "%s/live", mk.run);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, dir, MDB_NOSYNC | MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	change(txn);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void drop_bonds(MDB_txn *txn)
{
	MDB_dbi dbi;

	assert_int_equal(mdb_dbi_open(txn, "bond", 0, &dbi), 0);
	assert_int_equal(mdb_drop(txn, dbi, 1), 0);
}

static void put_boot_again(MDB_txn *txn)
{
	MDB_val key = { 4, "boot" }, value;
	char copy[200];
	MDB_dbi dbi;

	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
	memcpy(copy, value.mv_data, value.mv_size);
	value.mv_data = copy;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

/* An earlier release knows neither bonds nor marks, and may be back for a while. */
static void test_what_an_earlier_release_left_is_whole(void **state)
{
	const unsigned int before = mk.lost;

	mend_lay_out(mk.used);
	commit_unmarked(drop_bonds);
	for (unsigned int i = 0; i < 3; i++) {
		commit_unmarked(put_boot_again);
		mend_try("earlier release", i);
		assert_false(log_has("is damaged"));
		/* that start has marked what it found */
		commit_unmarked(put_boot_again);
	}
	assert_int_equal(mk.lost, before);
}

static void test_a_file_that_was_taken_away_is_lost_and_the_rest_serves(void **state)
{
	char name[100];

	mend_lay_out(mk.used);
	mend_file(name);
	assert_int_equal(unlink(name), 0);
	mend_try("no file", 0);
	assert_true(log_has("is damaged"));
}

static void test_heads_of_pages(void **state)
{
	for (size_t page = 2; page < mk.used / MEND_PAGE; page++)
		for (size_t at = 0; at < HEAD; at++)
			if ((at + page) % live_count(16, 1) == 0)
				flip(page * MEND_PAGE + at, (unsigned int)(page / 16 + at) % 8);
}

static void test_branches(void **state)
{
	const size_t step = live_count(61, 1);
	unsigned int nr = 0;

	for (size_t page = 2; page < mk.used / MEND_PAGE; page++) {
		if (mk.whole[page * MEND_PAGE + AT_FLAGS] != BRANCH)
			continue;
		nr++;
		/* the number's highest bits, beyond any file */
		flip(page * MEND_PAGE + 7, (unsigned int)page % 8);
		for (size_t at = HEAD + page % step; at < MEND_PAGE; at += step)
			if (mk.whole[page * MEND_PAGE + at])
				flip(page * MEND_PAGE + at, (unsigned int)(page + at) % 8);
	}
	assert_true(nr > 0);
}

/* --- what is nowhere else --- */

/* It is below what the disk has, which is to come from there; and has to stay itself. */
static void test_what_does_not_last_stays_below_what_does(void **state)
{
	char value[XENSTORE_PAYLOAD_MAX + 1];
	struct server *srv;
	int fd;

	assert_int_equal(lasting_volatile("/config/a/live"), 0);
	mend_lay_out(mk.used);
	srv = mend_open();
	assert_int_equal(t_write(t_client(srv, 0), 0, "/config/a/live/x", "1"), 0);
	assert_int_equal(t_write(t_client(srv, 0), 0, "/config/a/other", "2"), 0);
	assert_int_equal(t_write(t_client(srv, 0), 0, "/config/b", "3"), 0);
	mend_close(srv);
	/* The number of a commit: everything is whole, but what says which is the newest. */
	mend_file(value);
	fd = open(value, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\xff\xff", 2, AT_COMMIT), 2);
	close(fd);
	srv = mend_open();
	assert_int_equal(t_read(t_client(srv, 0), 0, "/config/a/live/x", value), 0);
	assert_string_equal(value, "1");
	assert_int_equal(t_read(t_client(srv, 0), 0, "/config/a/other", value), ENOENT);
	assert_int_equal(t_read(t_client(srv, 0), 0, "/config/b", value), ENOENT);
	mend_close(srv);
	lasting_forget();
}

/* --- who looks --- */

/* Children that open an environment and are killed there; -1: all. Shared with them. */
static int *kills, *spared;
static pid_t looker;
/*
 * The damaged file has been given up for room; then so many may still be opened by who starts, -1:
 * all.
 */
static bool cut;
static int opens_left = -1;

int __real_mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode);

int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode)
{
	if (cut && getpid() == looker && opens_left >= 0 && opens_left-- == 0)
		_exit(7);
	if (looker && getpid() != looker && *kills && (*spared)-- <= 0) {
		*kills -= *kills > 0;
		raise(SIGKILL);
	}
	return __real_mdb_env_open(env, path, flags, mode);
}

/* A child that looks for the nodes' table has no memory for that. */
static bool starved;

int __real_mdb_dbi_open(MDB_txn *txn, const char *name, unsigned int flags, MDB_dbi *dbi);
int __wrap_mdb_dbi_open(MDB_txn *txn, const char *name, unsigned int flags, MDB_dbi *dbi);

int __wrap_mdb_dbi_open(MDB_txn *txn, const char *name, unsigned int flags, MDB_dbi *dbi)
{
	if (starved && getpid() != looker && strcmp(name, store_table_name[STORE_NODE]) == 0)
		return ENOMEM;
	return __real_mdb_dbi_open(txn, name, flags, dbi);
}

static off_t size_of(const char *of)
{
	char name[100];
	struct stat st;

	snprintf(name, sizeof(name), "%s/%s", mk.run, of);
	return stat(name, &st) == 0 ? st.st_size : -1;
}

/* What a start in a process of its own ends with, its words in the log; 2: it could not be made. */
static int start(void)
{
	char log[100];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		snprintf(log, sizeof(log), "%s/log", mk.run);
		assert_non_null(freopen(log, "a", stderr));
		looker = getpid();
		_exit(mend_open() ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_who_looks_and_is_killed_has_seen_no_damage(void **state)
{
	mend_lay_out(mk.used);
	*kills = 3;
	assert_int_equal(start(), 0);
	*kills = -1;
	assert_int_equal(start(), 2);
	assert_true(log_has("could not be verified"));
	assert_false(log_has("is damaged"));
	assert_int_equal(size_of("live.damaged/data.mdb"), -1);
	*kills = 0;
	mend_try("start after", 0);
	assert_false(log_has("is damaged"));
}

/* A byte of a record on each leaf that has so many. */
static void spoil_leaves(size_t at)
{
	for (int i = 0; i < 2; i++) {
		for (size_t page = 2; page < mk.used / MEND_PAGE; page++)
			if (mk.whole[page * MEND_PAGE + AT_FLAGS] == LEAF)
				mk.whole[page * MEND_PAGE + at] ^= 1;
		if (i == 0)
			mend_lay_out(mk.used);
	}
}

/* A node's record and its parent's entry that names it are broken at once. */
static void test_who_has_lost_the_name_too_is_counted(void **state)
{
	for (size_t at = 2200; at < MEND_PAGE; at += live_count(170, 13)) {
		spoil_leaves(at);
		mend_try("leaves", at);
	}
}

static void test_who_saves_and_is_killed_has_saved_all_the_same(void **state)
{
	spoil_leaves(3900);
	/* The one that looks is spared. */
	*spared = 1;
	*kills = -1;
	assert_int_equal(start(), 2);
	assert_true(log_has("is damaged"));
	assert_true(size_of("live/data.mdb") == (off_t)mk.used);
	*kills = 0;
	mend_try("start after", 0);
}

/* --- room --- */

/* As long as the damaged file has its blocks there are no others. */
static bool full, dies_when_cut;
/* Why no file can grow; 0: it can. */
static int cannot_grow;

int __real_fallocate64(int fd, int mode, off64_t at, off64_t len);
int __wrap_fallocate64(int fd, int mode, off64_t at, off64_t len);
int __real_truncate64(const char *path, off64_t len);
int __wrap_truncate64(const char *path, off64_t len);

int __wrap_fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	if (full && size_of("live/data.mdb") == (off_t)mk.used) {
		errno = ENOSPC;
		return -1;
	}
	if (cannot_grow && mode == 0) {
		errno = cannot_grow;
		return -1;
	}
	return __real_fallocate64(fd, mode, at, len);
}

int __wrap_truncate64(const char *path, off64_t len)
{
	int ret = __real_truncate64(path, len);

	if (dies_when_cut)
		_exit(7);
	cut = true;
	return ret;
}

static void test_no_room_for_what_is_whole_is_no_reason_not_to_serve(void **state)
{
	void (*more)(struct server *srv) = mk.more;

	mk.more = NULL;
	spoil_leaves(3900);
	full = true;
	mend_try("full", 0);
	assert_true(log_has("is not kept"));
	/* Killed when only its memory has it: all is named. */
	spoil_leaves(3900);
	dies_when_cut = true;
	assert_int_equal(start(), 7);
	full = dies_when_cut = false;
	mend_try("start after", 1);
	/* Killed when the new file has its name: that is what there is. */
	spoil_leaves(3900);
	full = true;
	opens_left = 1;
	assert_int_equal(start(), 7);
	assert_int_equal(size_of("live.damaged/data.mdb"), 0);
	full = false;
	opens_left = -1;
	mend_try("start after", 2);
	assert_false(log_has("lost: all of"));
	mk.more = more;
}

/* Only for want of room what is damaged is given up, and what was damaged before. */
static void test_who_cannot_save_for_another_reason_gives_nothing_up(void **state)
{
	static const int why[] = { EIO, EINTR, ENOMEM };
	char path[100], value[XENSTORE_PAYLOAD_MAX + 1];
	struct server *srv;
	struct conn *c;
	off_t size;
	int fd;

	/* More than a new file begins with. */
	mend_lay_out(mk.used);
	srv = mend_open();
	c = t_client(srv, 0);
	memset(value, 'm', 3000);
	value[3000] = '\0';
	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "/run/%d", i);
		assert_int_equal(t_write(c, 0, path, value), 0);
	}
	mend_close(srv);
	mend_file(path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\xff\xff", 2, AT_COMMIT), 2);
	close(fd);
	size = size_of("live/data.mdb");
	snprintf(path, sizeof(path), "%s/live.damaged", mk.run);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/data.mdb");
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "1", 1), 1);
	close(fd);
	for (size_t i = 0; i <= sizeof(why) / sizeof(why[0]); i++) {
		starved = i == sizeof(why) / sizeof(why[0]);
		cannot_grow = starved ? 0 : why[i];
		assert_int_equal(start(), 2);
		assert_true(log_has("is damaged"));
		assert_false(log_has("is not kept"));
		assert_true(size_of("live/data.mdb") == size);
		assert_int_equal(size_of("live.damaged/data.mdb"), 1);
		assert_int_equal(size_of("live.mended/data.mdb"), -1);
	}
	starved = false;
	srv = mend_open();
	c = t_client(srv, 0);
	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "/run/%d", i);
		assert_int_equal(t_read(c, 0, path, value), 0);
	}
	mend_close(srv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_whole_is_left_as_it_is),
		cmocka_unit_test(test_numbers_of_commits),
		cmocka_unit_test(test_first_pages),
		cmocka_unit_test(test_the_mark_itself),
		cmocka_unit_test(test_what_an_earlier_release_left_is_whole),
		cmocka_unit_test(test_a_file_that_was_taken_away_is_lost_and_the_rest_serves),
		cmocka_unit_test(test_heads_of_pages),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_what_does_not_last_stays_below_what_does),
		cmocka_unit_test(test_who_looks_and_is_killed_has_seen_no_damage),
		cmocka_unit_test(test_who_has_lost_the_name_too_is_counted),
		cmocka_unit_test(test_who_saves_and_is_killed_has_saved_all_the_same),
		cmocka_unit_test(test_no_room_for_what_is_whole_is_no_reason_not_to_serve),
		cmocka_unit_test(test_who_cannot_save_for_another_reason_gives_nothing_up),
	};

	mk.more = work;
	kills = mmap(NULL, 2 * sizeof(*kills), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	spared = kills + 1;
	return cmocka_run_group_tests(tests, mend_setup, mend_teardown);
}
