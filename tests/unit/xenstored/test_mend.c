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
#include "store.h"

#define PAGE 4096u
#define NODES 400u
/* What a file of the size that the test needs has in use, at most. */
#define USED_MAX (400u * PAGE)

static char run[64], whole[USED_MAX];
static size_t used;
static struct hv *hv;

static void path_of(unsigned int i, char *path)
{
	if (i % 3 == 0)
		sprintf(path, "/local/domain/%u/device/vif/%u/state", i % 7, i);
	else if (i % 3 == 1)
		sprintf(path, "/vm/%08u-aaaa/name", i * 7919u);
	else
		sprintf(path, "/tool/some/%u/where-%u", i % 11, i);
}

static size_t value_of(unsigned int i, char *value)
{
	size_t len = i % 50 == 0 ? 2500 : i % 13;

	memset(value, 'a' + (int)(i % 26), len);
	return len;
}

static struct server *open_server(void)
{
	struct server *srv = calloc(1, sizeof(*srv));
	struct server_config cfg = { .run_dir = run, .state_dir = run };
	enum store_found found;
	struct store *store;

	if (server_init(srv, &cfg, hv) < 0 || store_open(run, &store, &found) < 0 ||
	    server_take_store(srv, store, found == STORE_MENDED) < 0)
		return NULL;
	srv->durable.off = true;
	srv->durable.rev = UINT64_MAX;
	srv->keep_rings = true;
	return server_standard_nodes(srv) == 0 ? srv : NULL;
}

static void close_server(struct server *srv)
{
	live_quiet = true;
	server_fini(srv);
	free(srv);
}

static void file_name(char *name)
{
	sprintf(name, "%s/live/data.mdb", run);
}

/* The file as it is in `whole`, and a log with nothing in it. */
static void lay_out(size_t len)
{
	char name[100], dir[80];
	int fd;

	snprintf(dir, sizeof(dir), "%s/log", run);
	unlink(dir);
	snprintf(dir, sizeof(dir), "%s/live", run);
	files_remove(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	file_name(name);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, whole, len), len);
	close(fd);
}

static int setup(void **state)
{
	struct server *srv;
	struct conn *c;
	char name[100], path[100], data[2700];
	int fd;

	strcpy(run, "/dev/shm/xs-mend-XXXXXX");
	assert_non_null(mkdtemp(run));
	sprintf(name, "%s/fake", run);
	hv = fake_hv_open(name);
	srv = open_server();
	assert_non_null(srv);
	c = t_client(srv, 0);
	for (unsigned int i = 0; i < NODES; i++) {
		size_t len;

		path_of(i, path);
		len = strlen(path) + 1;
		memcpy(data, path, len);
		len += value_of(i, data + len);
		assert_non_null(t_req(c, XS_WRITE, 0, data, len));
	}
	close_server(srv);
	file_name(name);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	used = (size_t)read(fd, whole, sizeof(whole));
	close(fd);
	/* The margin behind what is in use is zeros. */
	while (used > PAGE && whole[used - 1] == 0)
		used--;
	used = (used + PAGE - 1) / PAGE * PAGE;
	assert_true(used < sizeof(whole));
	return 0;
}

static int teardown(void **state)
{
	hv->close(hv);
	return files_remove(run);
}

/*
 * When what says where everything is was damaged, the state before the last commit is served, or
 * the whole is named. That may be so for few pages only.
 */
#define FIRST_PAGES 4u	/* LMDB's two first ones, and the two last roots of the tables */

static bool is_named(const char *log, const char *path)
{
	char up[100];

	if (strstr(log, "error: /: "))
		return true;

	/* The name of something above it says it, too. */
	strcpy(up, path);
	while (up[0]) {
		const char *leaf = xs_path_leaf(up, strlen(up));
		char line[120];

		snprintf(line, sizeof(line), "%s: lost", up);
		if (strstr(log, line))
			return true;
		snprintf(line, sizeof(line), "error: /%s: lost", leaf);
		if (strstr(log, line))
			return true;
		up[xs_path_parent_len(up, strlen(up)) == 1 ? 0 : xs_path_parent_len(up, strlen(up))] =
			'\0';
	}
	return false;
}

/* Starts on what is there; in a process of its own, because it must not end by a signal. */
static int start_and_look(const char *log_name)
{
	struct buf text = { 0 };
	char *log = calloc(1, 1 << 20), path[100], value[2600];
	struct server *srv;
	int fd = open(log_name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600), missing = 0;

	dup2(fd, STDERR_FILENO);
	srv = open_server();
	if (!srv)
		return 2;
	if (check_all(srv, &text)) {
		fprintf(stderr, "%.*s", (int)buf_len(&text), buf_front(&text));
		return 3;
	}
	if (pread(fd, log, (1 << 20) - 1, 0) < 0)
		return 4;
	for (unsigned int i = 0; i < NODES; i++) {
		size_t len = value_of(i, value);
		struct node n;

		path_of(i, path);
		if (tree_find(&srv->tree, path, strlen(path), &n) && n.value_len == len &&
		    memcmp(n.value, value, len) == 0)
			continue;
		missing++;
		if (!is_named(log, path)) {
			fprintf(stderr, "%s is not whole, and nobody says so\n", path);
			return 5;
		}
	}
	return missing ? 1 : 0;
}

static unsigned int lost, gone_back;

static void try(const char *what, size_t at)
{
	char log_name[100], cmd[140];
	int status;
	pid_t pid;

	sprintf(log_name, "%s/log", run);
	pid = fork();
	if (pid == 0)
		_exit(start_and_look(log_name));
	waitpid(pid, &status, 0);
	snprintf(cmd, sizeof(cmd), "grep -q 'error: /: ' %s", log_name);
	gone_back += system(cmd) == 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) {
		lost += (unsigned int)WEXITSTATUS(status);
		return;
	}
	snprintf(cmd, sizeof(cmd), "tail -20 %s", log_name);
	if (system(cmd))
		print_message("no log\n");
	fail_msg("%s %zu: status %x", what, at, (unsigned int)status);
}

static void test_every_page_zeroed(void **state)
{
	char page[PAGE];

	for (size_t at = 0; at < used; at += PAGE) {
		memcpy(page, whole + at, PAGE);
		memset(whole + at, 0, PAGE);
		lay_out(used);
		memcpy(whole + at, page, PAGE);
		try("page", at / PAGE);
	}
	print_message("%zu pages, %u of them cost something, %u of that the last commit\n",
		      used / PAGE, lost, gone_back);
	assert_true(gone_back <= FIRST_PAGES);
}

static void test_bytes_flipped(void **state)
{
	size_t step = live_count(3989, 1);

	for (size_t at = 0; at < used; at += step) {
		whole[at] ^= (char)(1 << at % 8);
		lay_out(used);
		whole[at] ^= (char)(1 << at % 8);
		try("byte", at);
	}
}

/* Where in the file LMDB's list of free pages has entry @i of the list that @value is. */
static uint64_t *entry_of(const MDB_val *value, const char *map, uint64_t i)
{
	return (uint64_t *)(whole + ((const char *)value->mv_data - map)) + i;
}

/* Says of the page that the record is on that it is free, where the list stays in order. */
static bool call_free(const MDB_val *list, const MDB_val *record, const char *map)
{
	const uint64_t page = (uint64_t)((const char *)record->mv_data - map) / PAGE;
	const uint64_t nr = *entry_of(list, map, 0);

	for (uint64_t i = 1; i <= nr; i++) {
		uint64_t *e = entry_of(list, map, i), real = *e;

		if (page >= real || (i < nr && page <= e[1]))
			continue;
		*e = page;
		lay_out(used);
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

	lay_out(used);
	snprintf(dir, sizeof(dir), "%s/live", run);
	assert_int_equal(mdb_env_create(&env) || mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, dir, MDB_RDONLY | MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "node", 0, &dbi), 0);
	assert_int_equal(mdb_cursor_open(txn, 0, &lists) || mdb_cursor_open(txn, dbi, &nodes), 0);
	assert_int_equal(mdb_cursor_get(nodes, &key, &record, MDB_FIRST), 0);
	/* a page begins with its own number */
	map = (const char *)((uintptr_t)record.mv_data / PAGE * PAGE);
	map -= *(const uint64_t *)map * PAGE;
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
	try("free page of a list", 0);
	/* LMDB would put something else there, sooner or later */
	snprintf(dir, sizeof(dir), "grep -q 'is damaged' %s/log", run);
	assert_int_equal(system(dir), 0);
}

static void test_file_cut(void **state)
{
	for (size_t len = 0; len < used; len += 5 * PAGE + 77) {
		lay_out(len);
		try("cut at", len);
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

	snprintf(log_name, sizeof(log_name), "%s/log", run);
	pid = fork();

	if (pid == 0) {
		live_quiet = true;
		assert_non_null(freopen(log_name, "a", stderr));
		steps_left = nr;
		_exit(open_server() ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 7;
}

/* With that page full of zeros. */
static void lay_out_damaged(size_t nr)
{
	char page[PAGE], *at = whole + nr * PAGE;

	memcpy(page, at, PAGE);
	memset(at, 0, PAGE);
	lay_out(used);
	memcpy(at, page, PAGE);
}

/* Whether a start on what is there loses nodes, and no more than those of the damaged page. */
static bool costs_nodes(const char *what, size_t at)
{
	const unsigned int before = lost, back = gone_back;

	try(what, at);
	return lost > before && gone_back == back;
}

/* One that has records of nodes. */
static size_t page_of_nodes(void)
{
	for (size_t nr = FIRST_PAGES; nr < used / PAGE; nr++) {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_page_zeroed),
		cmocka_unit_test(test_bytes_flipped),
		cmocka_unit_test(test_used_page_that_is_called_free),
		cmocka_unit_test(test_file_cut),
		cmocka_unit_test(test_mending_that_is_cut_off_begins_anew),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
