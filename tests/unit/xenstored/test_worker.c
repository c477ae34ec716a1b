/* SPDX-License-Identifier: MIT */
/*
 * test_worker.c - the worker process over a queue that the test keeps as the daemon would: what is
 * in it becomes durable, once and in order, whoever dies when. What it is asked: test_questions.c.
 */
#include "worker_side.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/queue_reader.h"
#include "storage/stored_node.h"

static void test_what_is_queued_becomes_durable(void **state)
{
	(void)state;
	side_init();
	side_expect(WORKER_READY);
	assert_int_equal(side.got.msg.err, 0);
	assert_int_equal(side.got.msg.flags, WORKER_FOUND_NEW);
	assert_true(side.got.msg.room.free_bytes > 0);
	side_expect(WORKER_DURABLE);
	assert_int_equal(side.got.msg.rev, 0);
	queue_rev("+/config=1 +/config/a=2");
	side_say(WORKER_QUEUED, 0, "", 0);
	await_durable(3);
	queue_rev("+/config/b=3");
	queue_rev("-/config/a");
	side_say(WORKER_QUEUED, 0, "", 0);
	await_durable(9);
	worker_gone();
	side_assert_disk("/config=1 /config/b=3 ");
	worker_up();
	side_fini();
}

static void test_what_a_daemon_that_died_has_queued_is_finished(void **state)
{
	(void)state;
	side_init();
	for (int i = 0; i < 100; i++) {
		char text[40];

		snprintf(text, sizeof(text), "+/config/n%d=%d", i % 10, i);
		queue_rev(text);
	}
	/* Nobody has said a word; the pair just ends. */
	worker_gone();
	kit_open(&side.k);
	assert_int_equal(side.k.found.applied, 300);
	kit_close(&side.k, true);
	worker_up();
	side_fini();
}

/* Killed at any moment, the next one goes on where the disk is. */
static void test_a_killed_worker_loses_and_repeats_nothing(void **state)
{
	uint64_t acked = 0;

	(void)state;
	side_init();
	for (int round = 0; round < 60; round++) {
		struct pollfd p = { side.fd, POLLIN, 0 };
		char text[40];

		side_expect(WORKER_READY);
		assert_int_equal(side.got.msg.err, 0);
		assert_true(side.got.msg.rev >= acked);
		assert_false(side.got.msg.flags & (WORKER_FOUND_DAMAGE | WORKER_DEGRADED));
		for (int i = 0; i < 20; i++) {
			snprintf(text, sizeof(text), "+/config/n%d=%llu", i,
				 (unsigned long long)side.rev);
			queue_rev(text);
			side_say(WORKER_QUEUED, 0, "", 0);
			while (poll(&p, 1, i % 3) == 1) {
				side_expect(WORKER_DURABLE);
				acked = side.got.msg.rev;
			}
		}
		kill(side.pid, SIGKILL);
		waitpid(side.pid, NULL, 0);
		close(side.fd);
		side.k.told = acked;
		worker_up();
	}
	side_expect(WORKER_READY);
	side_fini();
}

static void test_the_nodes_are_loaded_parents_first(void **state)
{
	const char *want[] = { "/config", "/config/z", "/config/a", "/config/z/y" };
	unsigned int nr = 0;

	(void)state;
	side_init();
	side_begin();
	queue_rev("+/config= +/config/z=1 +/config/a=2");
	queue_rev("+/config/z/y=3");
	side_say(WORKER_QUEUED, 0, "", 0);
	await_durable(6);
	side_say(WORKER_LOAD, 0, "", 0);
	while (side_next() == WORKER_NODE) {
		for (const char *p = side.got.data; p < side.got.data + side.got_len; nr++) {
			uint32_t len;
			uint16_t path_len;

			memcpy(&len, p, 4);
			memcpy(&path_len, p + 4, 2);
			assert_int_equal(path_len, strlen(want[nr]));
			assert_memory_equal(p + 6, want[nr], path_len);
			p += 4 + len;
		}
	}
	assert_int_equal(side.got.msg.op, WORKER_LOADED);
	assert_int_equal(side.got.msg.err, 0);
	assert_int_equal(nr, 4);
	side_fini();
}

/* The worker before has not come to it; the first thing that is asked of this one is to load. */
static void test_a_load_has_all_that_is_queued(void **state)
{
	(void)state;
	side_init();
	side_begin();
	queue_rev("+/config=1");
	worker_gone();
	queue_rev("+/config/a=2");
	worker_up();
	side_say(WORKER_LOAD, 0, "", 0);
	side_expect(WORKER_READY);
	assert_int_equal(side.got.msg.rev, 3);
	await_durable(6);
	side_expect(WORKER_NODE);
	assert_non_null(memmem(side.got.data, side.got_len, "/config/a", 9));
	side_expect(WORKER_LOADED);
	assert_int_equal(side.got.msg.err, 0);
	assert_int_equal(side.got.msg.rev, 6);
	side_fini();
}

/* What was accepted and does not fit is not in what the disk has: that is no whole answer. */
static void test_a_load_fails_while_what_is_queued_is_refused(void **state)
{
	(void)state;
	side_init();
	side_begin();
	worker_gone();
	queue_large(200);
	side.k.map_size = 256u << 10;
	worker_up();
	side_say(WORKER_LOAD, 0, "", 0);
	side_expect(WORKER_READY);
	while (side_next() != WORKER_LOADED)
		assert_int_not_equal(side.got.msg.op, WORKER_NODE);
	assert_int_equal(side.got.msg.err, -ENOSPC);
	side_fini();
}

/* What is behind a gap will never be applied: the rest is all there is. */
static void test_a_load_ends_at_a_gap_in_the_queue(void **state)
{
	(void)state;
	side_init();
	side_begin();
	queue_rev("+/config=1");
	worker_gone();
	side.rev = 50;
	queue_rev("+/config=2");
	worker_up();
	side_say(WORKER_LOAD, 0, "", 0);
	side_expect(WORKER_READY);
	side_expect(WORKER_REFUSED);
	assert_int_equal(side.got.msg.err, -ESTALE);
	side_expect(WORKER_NODE);
	side_expect(WORKER_LOADED);
	assert_int_equal(side.got.msg.err, 0);
	assert_int_equal(side.got.msg.rev, 3);
	side_fini();
}

static void test_missing_changes_are_refused_and_a_reset_heals(void **state)
{
	(void)state;
	side_init();
	side_begin();
	side.rev = 50;
	queue_rev("+/config=1");
	side_say(WORKER_QUEUED, 0, "", 0);
	side_expect(WORKER_REFUSED);
	assert_int_equal(side.got.msg.err, -ESTALE);
	assert_int_equal(side.got.msg.rev, 0);
	queue_empty();
	queue_rev("* +/config=2");
	side_say(WORKER_QUEUED, 0, "", 0);
	while (side_next() == WORKER_REFUSED)
		;
	assert_int_equal(side.got.msg.op, WORKER_DURABLE);
	assert_int_equal(side.got.msg.rev, 56);
	worker_gone();
	side_assert_disk("/config=2 ");
	worker_up();
	side_fini();
}

static void test_a_broken_change_in_the_queue_is_told_by_its_revision(void **state)
{
	unsigned char key[CHANGE_KEY];
	MDB_val k = { CHANGE_KEY, key }, v = { 9, "not whole" };
	MDB_txn *txn;

	(void)state;
	side_init();
	side_begin();
	queue_rev("+/config=1");
	queue_rev("+/config=2 +/config/a=1");
	change_key(key, 6, 1);
	assert_int_equal(mdb_txn_begin(side.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, side.queue, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	side_say(WORKER_QUEUED, 0, "", 0);
	await_durable(3);
	side_expect(WORKER_REFUSED);
	assert_int_equal(side.got.msg.err, -EBADMSG);
	assert_int_equal(side.got.msg.a, 6);
	assert_int_equal(side.got.msg.rev, 3);
	side_fini();
}

/* --- an environment that is exchanged for another one --- */

static void one_commit(MDB_env *env, const char *db, uint64_t rev)
{
	unsigned char key[CHANGE_KEY], value[200];
	MDB_val k = { CHANGE_KEY, key }, v = { 0, value };
	struct change c;
	MDB_txn *txn;
	MDB_dbi dbi;

	change_key(key, rev, 0);
	kit_change("+/config=1", &c);
	change_write(&c, key, value);
	v.mv_size = change_len(&c);
	if (mdb_txn_begin(env, NULL, 0, &txn) || mdb_dbi_open(txn, db, MDB_CREATE, &dbi) ||
	    (rev && mdb_put(txn, dbi, &k, &v, 0)) || mdb_txn_commit(txn))
		_exit(1);
}

/* What the queue has it got by the last of @nr commits. */
static MDB_env *make_queue(const char *dir, unsigned int nr)
{
	MDB_env *env;

	if (mkdir(dir, 0700) < 0 || mdb_env_create(&env) || mdb_env_set_maxdbs(env, 4) ||
	    mdb_env_open(env, dir, MDB_NOSYNC | MDB_NOTLS, 0600))
		_exit(1);
	one_commit(env, "queue", 0);
	for (unsigned int i = 2; i < nr; i++)
		one_commit(env, "more", i);
	one_commit(env, "queue", 1);
	return env;
}

/* The daemon gives the other one the name between LMDB's two files; NULL: it does not. */
static const char *exchanged, *exchanged_by;

/* LMDB's open(): what is compiled here calls another one. */
int open_of_lmdb(const char *path, int flags, ...) __asm__("open");

int open_of_lmdb(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if (exchanged && strstr(path, "/lock.mdb")) {
		assert_int_equal(renameat2(AT_FDCWD, exchanged, AT_FDCWD, exchanged_by,
					   RENAME_EXCHANGE), 0);
		exchanged = NULL;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* They are opened one after the other: both have to be of one environment. */
static void test_a_queue_that_is_exchanged_meanwhile_is_read_whole(void **state)
{
	char a[150], b[150], byte = 0;
	struct kit k;
	int ready[2];
	pid_t pid;

	(void)state;
	kit_init(&k);
	snprintf(a, sizeof(a), "%s/live", k.run);
	snprintf(b, sizeof(b), "%s/live.new", k.run);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		/* The last commit of one is on the first page, that of the other on the second. */
		make_queue(a, 4);
		make_queue(b, 5);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	for (unsigned int i = 0; i < 2; i++) {
		struct queue_batch batch = { .e = NULL };
		struct queue_reader q;

		exchanged = a;
		exchanged_by = b;
		assert_int_equal(queue_reader_open(&q, a), 0);
		assert_null(exchanged);
		assert_int_equal(queue_read(&q, 0, 10, &batch), 0);
		assert_int_equal(batch.nr, 1);
		queue_batch_fini(&batch);
		queue_reader_close(&q);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	kit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_queued_becomes_durable),
		cmocka_unit_test(test_what_a_daemon_that_died_has_queued_is_finished),
		cmocka_unit_test(test_a_killed_worker_loses_and_repeats_nothing),
		cmocka_unit_test(test_the_nodes_are_loaded_parents_first),
		cmocka_unit_test(test_a_load_has_all_that_is_queued),
		cmocka_unit_test(test_a_load_fails_while_what_is_queued_is_refused),
		cmocka_unit_test(test_a_load_ends_at_a_gap_in_the_queue),
		cmocka_unit_test(test_missing_changes_are_refused_and_a_reset_heals),
		cmocka_unit_test(test_a_broken_change_in_the_queue_is_told_by_its_revision),
		cmocka_unit_test(test_a_queue_that_is_exchanged_meanwhile_is_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
