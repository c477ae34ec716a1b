/* SPDX-License-Identifier: MIT */
/*
 * test_shrink.c - a live environment that has become much too large gives its memory back: what is
 * in it stays, also when the process is killed at any step of that, and the worker reads on.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "live.h"
#include "storage/queue_reader.h"
#include "storage/store.h"

#define VALUE 2000u
#define KEPT 100u
#define MIB 1048576u

/* --- the steps that the file system sees; the process may end before each --- */

static unsigned int step_now, step_last;

static void a_step(void)
{
	if (++step_now == step_last)
		_exit(0);
}

#define STEP(type, name, params, args)                                                            \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		a_step();                                                                          \
		return __real_##name args;                                                         \
	}

STEP(int, mkdir, (const char *path, mode_t mode), (path, mode))
STEP(int, rmdir, (const char *path), (path))
STEP(int, unlink, (const char *path), (path))
STEP(int, fallocate, (int fd, int mode, off_t from, off_t len), (fd, mode, from, len))
STEP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned int flags),
     (a, from, b, to, flags))

/* --- the store alone --- */

static char run[64];

static void put(struct store *l, unsigned int i, size_t len)
{
	char rec[STORE_HEAD + VALUE], key[16];

	memset(rec, (int)('a' + i % 26), sizeof(rec));
	snprintf(key, sizeof(key), "key %06u", i);
	assert_int_equal(store_room(l, 1, len, false), 0);
	store_put(l, STORE_NODE, key, 10, rec, STORE_HEAD + len);
}

static void del(struct store *l, unsigned int i)
{
	char key[16];

	snprintf(key, sizeof(key), "key %06u", i);
	assert_int_equal(store_room(l, 1, 0, true), 0);
	store_del(l, STORE_NODE, key, 10);
}

/* Those that stay, of different lengths, between many that do not. */
static struct store *make_large(unsigned int nr)
{
	enum store_found found;
	struct store *l;

	assert_int_equal(store_open(run, &l, &found), 0);
	store_still(l, STORE_WHOLE);
	for (unsigned int i = 0; i < nr; i++)
		put(l, i, i % (nr / KEPT) ? VALUE : i % VALUE);
	for (unsigned int i = 0; i < nr; i++)
		if (i % (nr / KEPT))
			del(l, i);
	store_commit(l);
	return l;
}

static void assert_kept(struct store *l, unsigned int nr)
{
	struct store_bytes key, value;

	assert_int_equal(store_count(l, STORE_NODE), KEPT);
	for (unsigned int i = 0; i < nr; i += nr / KEPT) {
		char name[16];

		snprintf(name, sizeof(name), "key %06u", i);
		assert_true(i == 0 ? store_seek(l, STORE_NODE, "k", 1, &key, &value) :
				     store_next(l, STORE_NODE, &key, &value));
		assert_int_equal(key.len, 10);
		assert_memory_equal(key.data, name, 10);
		assert_int_equal(value.len, i % VALUE);
		for (size_t at = 0; at < value.len; at++)
			assert_int_equal(((const char *)value.data)[at], 'a' + i % 26);
	}
}

static uint64_t file_size(void)
{
	char path[100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/live/data.mdb", run);
	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

static bool has_rests(void)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/live.new", run);
	return access(path, F_OK) == 0;
}

static void test_what_is_left_stays(void **state)
{
	struct store *l = make_large(10000);
	uint64_t commits = store_commits(l), before = file_size();
	enum store_found found;

	(void)state;
	assert_true(before > 16 * MIB);
	assert_true(store_shrink(l, 16 * MIB));
	assert_true(file_size() < 8 * MIB);
	assert_false(has_rests());
	assert_true(store_commits(l) > commits);
	assert_kept(l, 10000);
	/* it goes on being written and read */
	put(l, 20000, 3);
	store_commit(l);
	del(l, 20000);
	store_commit(l);
	assert_false(store_shrink(l, 16 * MIB));
	store_close(l);
	assert_int_equal(store_open(run, &l, &found), 0);
	assert_int_equal(found, STORE_WHOLE);
	assert_kept(l, 10000);
	store_close(l);
}

static void test_only_when_most_is_unused_and_nothing_is_open(void **state)
{
	struct store *l = make_large(2000);

	(void)state;
	assert_false(store_shrink(l, 64 * MIB));
	put(l, 20000, 3);
	assert_false(store_shrink(l, 0));
	del(l, 20000);
	store_commit(l);
	assert_true(store_shrink(l, 0));
	store_close(l);
}

static void test_a_kill_at_any_step_loses_nothing(void **state)
{
	unsigned int steps = 0;
	bool ended = false;

	(void)state;
	for (unsigned int last = 1; !ended; last++) {
		enum store_found found;
		struct store *l;
		int status;
		pid_t pid;

		assert_int_equal(files_remove(run), 0);
		assert_int_equal(mkdir(run, 0700), 0);
		store_close(make_large(2000));
		pid = fork();
		if (pid == 0) {
			step_now = 0;
			step_last = ~0u;
			if (store_open(run, &l, &found) < 0)
				_exit(1);
			step_now = 0;
			step_last = last;
			_exit(store_shrink(l, 0) ? 42 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		ended = WEXITSTATUS(status) == 42;
		assert_true(ended || WEXITSTATUS(status) == 0);
		assert_int_equal(store_open(run, &l, &found), 0);
		assert_int_equal(found, STORE_WHOLE);
		assert_false(has_rests());
		assert_kept(l, 2000);
		store_close(l);
		steps = last;
	}
	assert_true(steps > 6);
}

/* Once the directory was gone: what reads the queue says so, and goes on when there is one. */
static void test_the_queue_is_read_again_after_a_failure(void **state)
{
	struct queue_batch batch = { .e = NULL };
	struct queue_reader queue;
	char dir[100], data[100];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/live", run);
	snprintf(data, sizeof(data), "%s/live/data.mdb", run);
	store_close(make_large(KEPT));
	assert_int_equal(queue_reader_open(&queue, dir), 0);
	assert_int_equal(queue_reader_follow(&queue), 0);
	assert_int_equal(queue_read(&queue, 0, 1, &batch), 0);
	/* another one that cannot be opened has taken its place */
	assert_int_equal(files_remove(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(queue_reader_follow(&queue), -ENOENT);
	close(open(data, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_true(queue_reader_follow(&queue) < 0);
	assert_int_equal(queue_read(&queue, 0, 1, &batch), -EIO);
	assert_int_equal(files_remove(dir), 0);
	store_close(make_large(KEPT));
	assert_int_equal(queue_reader_follow(&queue), 0);
	assert_int_equal(queue_read(&queue, 0, 1, &batch), 0);
	queue_reader_close(&queue);
	queue_batch_fini(&batch);
}

/* Where both of LMDB's first pages have the number of the last page (0.9: mm_last_pg). */
#define LAST_PAGE_AT 136

static void test_an_end_behind_the_file_is_damage(void **state)
{
	const uint64_t last = 1u << 20;
	enum store_found found;
	struct store *l;
	char data[100];
	int fd;

	(void)state;
	snprintf(data, sizeof(data), "%s/live/data.mdb", run);
	store_close(make_large(2000));
	fd = open(data, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, &last, 8, LAST_PAGE_AT), 8);
	assert_int_equal(pwrite(fd, &last, 8, 4096 + LAST_PAGE_AT), 8);
	close(fd);
	assert_int_equal(store_open(run, &l, &found), 0);
	assert_int_equal(found, STORE_MENDED);
	assert_kept(l, 2000);
	store_close(l);
}

/* A byte of some record that stays, in the file that is mapped. */
static void flip_a_byte(void)
{
	char path[100], buf[65536];
	int fd;

	snprintf(path, sizeof(path), "%s/live/data.mdb", run);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	for (off_t at = 0; pread(fd, buf, sizeof(buf), at) > 0; at += sizeof(buf)) {
		char *found = memmem(buf, sizeof(buf), "key 000620", 10);

		if (found) {
			found[10 + STORE_HEAD + 5] ^= 1;
			assert_int_equal(pwrite(fd, buf, sizeof(buf), at), sizeof(buf));
		}
	}
	close(fd);
}

static void test_damage_is_not_carried_on(void **state)
{
	enum store_found found;
	struct store *l;
	int status;
	pid_t pid;

	(void)state;
	store_close(make_large(2000));
	pid = fork();
	if (pid == 0) {
		if (store_open(run, &l, &found) < 0)
			_exit(1);
		flip_a_byte();
		_exit(store_shrink(l, 0) ? 2 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), STORE_LOST);
}

static int setup(void **state)
{
	(void)state;
	step_last = ~0u;
	strcpy(run, "/dev/shm/xs-shrink-XXXXXX");
	return mkdtemp(run) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return files_remove(run);
}

/* --- the real daemon --- */

static int daemon_setup(void **state)
{
	(void)state;
	step_last = ~0u;
	if (live_make() < 0)
		return -1;
	snprintf(run, sizeof(run), "%s", live.dir);
	live_start();
	return 0;
}

static int daemon_teardown(void **state)
{
	(void)state;
	return live_remove();
}

static void fill(int fd, unsigned int nr)
{
	char buf[64 + VALUE];

	for (unsigned int i = 0; i < nr; i++) {
		int len = snprintf(buf, 64, "/tool/large/%u", i) + 1;

		memset(buf + len, 'x', VALUE);
		assert_int_equal(live_request(fd, XS_WRITE, buf, (uint32_t)len + VALUE, NULL), 0);
	}
}

static void test_the_daemon_gives_back_and_the_worker_reads_on(void **state)
{
	int fd = live_open();

	(void)state;
	assert_int_equal(live_write_number(fd, "/config/before", 1), 0);
	fill(fd, 10000);
	assert_true(file_size() > 16 * MIB);
	assert_int_equal(live_request(fd, XS_RM, "/tool/large", 12, NULL), 0);
	while (file_size() > 16 * MIB)
		assert_int_equal(live_read_number(fd, "/config/before"), 1);
	/* the reply says that it is on the disk, so the worker has seen it */
	assert_int_equal(live_write_number(fd, "/config/behind", 2), 0);
	close(fd);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/config/before"), 1);
	assert_int_equal(live_read_number(fd, "/config/behind"), 2);
	close(fd);
}

#define ALONE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define LIVE(t) cmocka_unit_test_setup_teardown(t, daemon_setup, daemon_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_what_is_left_stays),
		ALONE(test_only_when_most_is_unused_and_nothing_is_open),
		ALONE(test_a_kill_at_any_step_loses_nothing),
		ALONE(test_damage_is_not_carried_on),
		ALONE(test_the_queue_is_read_again_after_a_failure),
		ALONE(test_an_end_behind_the_file_is_damage),
		LIVE(test_the_daemon_gives_back_and_the_worker_reads_on),
	};

	if (live_init(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
