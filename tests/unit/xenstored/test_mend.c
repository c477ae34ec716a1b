/* SPDX-License-Identifier: MIT */
/*
 * test_mend.c - damage to the live environment at rest: every page zeroed, bytes flipped all over
 * the file, the file cut. Claims: the next start has every node whole, or says by name that it
 * lost it; what it serves passes the checker; it does not end by a signal. That a start before it
 * was killed behind any step of its makes no difference (of its commits, behind each fifth).
 *
 * The persistent part is not looked at here: after damage it comes from the disk again.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "harness.h"
#include "live.h"
#include "mend_kit.h"
#include "store.h"

static void test_every_page_zeroed(void **state)
{
	char page[MEND_PAGE];

	for (size_t at = 0; at < mk.used; at += MEND_PAGE) {
		memcpy(page, mk.whole + at, MEND_PAGE);
		memset(mk.whole + at, 0, MEND_PAGE);
		mend_lay_out(mk.used);
		memcpy(mk.whole + at, page, MEND_PAGE);
		mend_try("page", at / MEND_PAGE);
	}
	print_message("%zu pages, %u of them cost something, %u of that the last commit\n",
		      mk.used / MEND_PAGE, mk.lost, mk.gone_back);
	assert_true(mk.gone_back <= MEND_FIRST_PAGES);
}

static void test_bytes_flipped(void **state)
{
	size_t step = live_count(3989, 1);

	for (size_t at = 0; at < mk.used; at += step) {
		mk.whole[at] ^= (char)(1 << at % 8);
		mend_lay_out(mk.used);
		mk.whole[at] ^= (char)(1 << at % 8);
		mend_try("byte", at);
	}
}

/* Where in the file LMDB's list of free pages has entry @i of the list that @value is. */
static uint64_t *entry_of(const MDB_val *value, const char *map, uint64_t i)
{
	return (uint64_t *)(mk.whole + ((const char *)value->mv_data - map)) + i;
}

/* Says of the page that the record is on that it is free, where the list stays in order. */
static bool call_free(const MDB_val *list, const MDB_val *record, const char *map)
{
	const uint64_t page = (uint64_t)((const char *)record->mv_data - map) / MEND_PAGE;
	const uint64_t nr = *entry_of(list, map, 0);

	for (uint64_t i = 1; i <= nr; i++) {
		uint64_t *e = entry_of(list, map, i), real = *e;

		if (page >= real || (i < nr && page <= e[1]))
			continue;
		*e = page;
		mend_lay_out(mk.used);
		*e = real;
		return true;
	}
	return false;
}

static void test_used_page_that_is_called_free(void **state)
{
	MDB_val key = { 0 }, list, record;
	MDB_cursor *lists, *nodes;
	const char *map;
	char dir[120];
	bool found = false;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	mend_lay_out(mk.used);
	snprintf(dir, sizeof(dir), "%s/live", mk.run);
	assert_int_equal(mdb_env_create(&env) || mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, dir, MDB_RDONLY | MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "node", 0, &dbi), 0);
	assert_int_equal(mdb_cursor_open(txn, 0, &lists) || mdb_cursor_open(txn, dbi, &nodes), 0);
	assert_int_equal(mdb_cursor_get(nodes, &key, &record, MDB_FIRST), 0);
	/* a page begins with its own number */
	map = (const char *)((uintptr_t)record.mv_data / MEND_PAGE * MEND_PAGE);
	map -= *(const uint64_t *)map * MEND_PAGE;
	while (!found && mdb_cursor_get(lists, &key, &list, MDB_NEXT) == 0) {
		MDB_cursor_op op = MDB_FIRST;

		for (; !found && mdb_cursor_get(nodes, &key, &record, op) == 0; op = MDB_NEXT)
			found = call_free(&list, &record, map);
	}
	assert_true(found);
	mdb_cursor_close(lists);
	mdb_cursor_close(nodes);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	mend_try("free page of a list", 0);
	/* LMDB would put something else there, sooner or later */
	snprintf(dir, sizeof(dir), "grep -q 'is damaged' %s/log", mk.run);
	assert_int_equal(system(dir), 0);
}

static void test_file_cut(void **state)
{
	for (size_t len = 0; len < mk.used; len += 5 * MEND_PAGE + 77) {
		mend_lay_out(len);
		mend_try("cut at", len);
	}
}

/* Steps that a start may still make; -1: as many as it likes. */
static int steps_left = -1;

static int step(int ret)
{
	if (steps_left >= 0 && steps_left-- == 0)
		_exit(7);
	return ret;
}

/* What is seen by the next start: commits and names. */
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);

/* There are many that are alike. */
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	static unsigned int nr;
	int rc = __real_mdb_txn_commit(txn);

	return ++nr % live_count(5, 1) == 0 ? step(rc) : rc;
}

int __wrap_rename(const char *from, const char *to)
{
	return step(__real_rename(from, to));
}

int __wrap_unlink(const char *path)
{
	return step(__real_unlink(path));
}

int __wrap_rmdir(const char *path)
{
	return step(__real_rmdir(path));
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return step(__real_mkdir(path, mode));
}

/* A start that is killed behind its @nr-th step. False: it came to its end. */
static bool cut_off_behind(int nr)
{
	char log_name[100];
	int status;
	pid_t pid;

	snprintf(log_name, sizeof(log_name), "%s/log", mk.run);
	pid = fork();

	if (pid == 0) {
		live_quiet = true;
		assert_non_null(freopen(log_name, "a", stderr));
		steps_left = nr;
		_exit(mend_open() ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 7;
}

/* With that page full of zeros. */
static void lay_out_damaged(size_t nr)
{
	char page[MEND_PAGE], *at = mk.whole + nr * MEND_PAGE;

	memcpy(page, at, MEND_PAGE);
	memset(at, 0, MEND_PAGE);
	mend_lay_out(mk.used);
	memcpy(at, page, MEND_PAGE);
}

/* Whether a start on what is there loses nodes, and no more than those of the damaged page. */
static bool costs_nodes(const char *what, size_t at)
{
	const unsigned int before = mk.lost, back = mk.gone_back;

	mend_try(what, at);
	return mk.lost > before && mk.gone_back == back;
}

/* One that has records of nodes. */
static size_t page_of_nodes(void)
{
	for (size_t nr = MEND_FIRST_PAGES; nr < mk.used / MEND_PAGE; nr++) {
		lay_out_damaged(nr);
		if (costs_nodes("page", nr))
			return nr;
	}
	fail_msg("no page has nodes");
	return 0;
}

static void test_mending_that_is_cut_off_begins_anew(void **state)
{
	const size_t page = page_of_nodes();
	bool more = true;
	int nr = 0;

	/* What is lost has been said by one or the other, also when the first comes to its end. */
	for (; more; nr++) {
		lay_out_damaged(page);
		more = cut_off_behind(nr);
		assert_true(costs_nodes("start cut off behind step", (size_t)nr));
	}
	print_message("%d steps\n", nr);
	assert_true(nr > 20);
	/* And that one, too. */
	more = true;
	for (int again = 0; more; again++) {
		lay_out_damaged(page);
		assert_true(cut_off_behind(nr / 2));
		more = cut_off_behind(again);
		assert_true(costs_nodes("second start cut off behind step", (size_t)again));
	}
}

/* What has been said to be lost, each once. */
static void read_losses(char out[65536])
{
	char cmd[160];
	size_t n;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "sed -n 's/.*error: \\(.*lost.*\\)/\\1/p' %s/log | sort -u", mk.run);
	f = popen(cmd, "r");
	assert_non_null(f);
	n = fread(out, 1, 65535, f);
	out[n] = '\0';
	assert_int_equal(pclose(f), 0);
}

/* The damaged file is not there any more, so it goes on with what the other one has left. */
static void test_mending_that_goes_on_says_nothing_else(void **state)
{
	static char all[65536], some[65536];
	const size_t page = page_of_nodes();
	char damaged[100];
	bool more = true;

	/* In one go. */
	lay_out_damaged(page);
	assert_false(cut_off_behind(-1));
	read_losses(all);
	assert_true(all[0]);
	for (int nr = 0; more; nr++) {
		lay_out_damaged(page);
		more = cut_off_behind(nr);
		snprintf(damaged, sizeof(damaged), "%s/live.damaged", mk.run);
		files_remove(damaged);
		assert_true(costs_nodes("start that goes on behind step", (size_t)nr));
		read_losses(some);
		assert_string_equal(some, all);
	}
}

/* So many clients' bonds, with values that take several pages. */
#define BONDS 200u

static void bind_many(void)
{
	struct server *srv = mend_open();
	struct conn *c = t_client(srv, 0);
	char path[32], value[320];

	for (unsigned int i = 0; i < BONDS; i++) {
		snprintf(path, sizeof(path), "/tool/bound/%u", i);
		snprintf(value, sizeof(value), "=%03u=%0300u", i, 0u);
		assert_int_equal(t_call(c, XS_CONTROL, NULL, "bind", path, value, "60000", NULL), 0);
	}
	mend_close(srv);
}

/* Wherever it is said: also where it is no more. */
static void zero_pages_with(const char *text)
{
	char name[100], page[MEND_PAGE];
	const char zeros[MEND_PAGE] = { 0 };
	int fd;

	mend_file(name);
	fd = open(name, O_RDWR | O_CLOEXEC);
	for (off_t at = 0; pread(fd, page, MEND_PAGE, at) == MEND_PAGE; at += MEND_PAGE)
		if (memmem(page, MEND_PAGE, text, strlen(text)))
			assert_int_equal(pwrite(fd, zeros, MEND_PAGE, at), MEND_PAGE);
	close(fd);
}

/* In a process of its own, whose words go into RUN/log. How many bonds there are. */
static unsigned int start_and_count_bonds(void)
{
	char log_name[100];
	int status;
	pid_t pid = fork();

	snprintf(log_name, sizeof(log_name), "%s/log", mk.run);
	if (pid == 0) {
		struct server *srv;

		dup2(open(log_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDERR_FILENO);
		srv = mend_open();
		_exit(srv ? (int)srv->bonds.nr : 255);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return (unsigned int)WEXITSTATUS(status);
}

/* A key whose bond is lost stays: nobody sees that but who reads the log. */
static void test_bonds_that_are_lost_are_counted(void **state)
{
	char cmd[160];
	unsigned int left;

	mend_lay_out(mk.used);
	bind_many();
	assert_int_equal(start_and_count_bonds(), BONDS);
	zero_pages_with("=100=");
	left = start_and_count_bonds();
	assert_in_range(left, 1, BONDS - 1);
	snprintf(cmd, sizeof(cmd), "grep -q 'lost: %u of the bond records' %s/log", BONDS - left,
		 mk.run);
	assert_int_equal(system(cmd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_page_zeroed),
		cmocka_unit_test(test_bytes_flipped),
		cmocka_unit_test(test_used_page_that_is_called_free),
		cmocka_unit_test(test_file_cut),
		cmocka_unit_test(test_mending_that_is_cut_off_begins_anew),
		cmocka_unit_test(test_mending_that_goes_on_says_nothing_else),
		cmocka_unit_test(test_bonds_that_are_lost_are_counted),
	};

	return cmocka_run_group_tests(tests, mend_setup, mend_teardown);
}
