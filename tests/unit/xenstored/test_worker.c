/* SPDX-License-Identifier: MIT */
/*
 * test_worker.c - the worker process over a queue that the test keeps as the daemon would: what is
 * in it becomes durable, once and in order, whoever dies when; questions are answered beside it.
 */
#include "disk_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
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

#include "storage/question.h"
#include "storage/queue_reader.h"
#include "storage/stored_node.h"
#include "storage/worker.h"
#include "xs_past.h"

/* The daemon's side. */
static struct side {
	struct kit k;
	char live[150];
	MDB_env *env;
	MDB_dbi queue;
	struct worker_config cfg;
	int fd;
	pid_t pid;
	uint64_t rev;
	struct {
		struct worker_msg msg;
		char data[WORKER_PACKET];
	} got;
	size_t got_len;		/* of the payload */
} t;

static void worker_up(void)
{
	t.cfg = (struct worker_config){
		.disk = { .state_dir = t.k.state, .run_dir = t.k.run, .told = t.k.told,
			  .map_size = t.k.map_size ? t.k.map_size : 64u << 20 },
		.live_dir = t.live,
	};
	t.pid = worker_start(&t.cfg, &t.fd);
	assert_true(t.pid > 0);
}

static void side_init(void)
{
	MDB_txn *txn;

	memset(&t, 0, sizeof(t));
	kit_init(&t.k);
	snprintf(t.live, sizeof(t.live), "%s/live", t.k.run);
	assert_int_equal(mkdir(t.live, 0700), 0);
	assert_int_equal(mdb_env_create(&t.env), 0);
	mdb_env_set_maxdbs(t.env, 4);
	mdb_env_set_mapsize(t.env, 64u << 20);
	assert_int_equal(mdb_env_open(t.env, t.live, MDB_NOSYNC | MDB_NOTLS, 0600), 0);
	assert_int_equal(mdb_txn_begin(t.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "queue", MDB_CREATE, &t.queue), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	worker_up();
}

/* The next message; its operation. */
static enum worker_op next(void)
{
	ssize_t n = recv(t.fd, &t.got, sizeof(t.got), 0);

	if (n < (ssize_t)sizeof(t.got.msg))
		fail_msg("the worker has ended");
	t.got_len = (size_t)n - sizeof(t.got.msg);
	return (enum worker_op)t.got.msg.op;
}

static void expect(enum worker_op op)
{
	assert_int_equal(next(), op);
}

static void say(enum worker_op op, uint32_t id, const char *text, size_t len)
{
	struct worker_msg msg = { .op = op, .id = id };
	char packet[1000];

	memcpy(packet, &msg, sizeof(msg));
	memcpy(packet + sizeof(msg), text, len);
	assert_int_equal(send(t.fd, packet, sizeof(msg) + len, 0), sizeof(msg) + len);
}

static void queue_put(MDB_txn *txn, uint64_t rev, uint32_t index, const struct change *c)
{
	unsigned char key[CHANGE_KEY], value[4096];
	MDB_val k = { CHANGE_KEY, key }, v = { change_len(c), value };

	change_key(key, rev, index);
	change_write(c, key, value);
	assert_int_equal(mdb_put(txn, t.queue, &k, &v, 0), 0);
}

/* One live commit: the changes as the next revision, into the queue. */
static uint64_t queue_rev(const char *text)
{
	char *words = strdup(text), *rest = words, *word;
	uint64_t prev = t.rev;
	uint32_t index = 0;
	MDB_txn *txn;

	t.rev += 3;
	assert_int_equal(mdb_txn_begin(t.env, NULL, 0, &txn), 0);
	while ((word = strtok_r(rest, " ", &rest))) {
		struct change c;

		kit_change(word, &c);
		c.prev = prev;
		queue_put(txn, t.rev, index++, &c);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	free(words);
	return t.rev;
}

/* @nr revisions of a node with 3,000 bytes each. */
static void queue_large(unsigned int nr)
{
	char text[3100];

	for (unsigned int i = 0; i < nr; i++) {
		int len = snprintf(text, sizeof(text), "+/config/n%u=", i);

		memset(text + len, 'v', 3000);
		text[len + 3000] = '\0';
		queue_rev(text);
	}
}

static void queue_empty(void)
{
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(t.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_drop(txn, t.queue, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
}

static void await_durable(uint64_t rev)
{
	do
		expect(WORKER_DURABLE);
	while (t.got.msg.rev < rev);
	assert_int_equal(t.got.msg.rev, rev);
}

static void worker_gone(void)
{
	int status;

	close(t.fd);
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void side_fini(void)
{
	worker_gone();
	mdb_env_close(t.env);
	kit_fini(&t.k);
}

/* What is on the disk, when no worker is there. */
static void assert_disk(const char *nodes)
{
	kit_open(&t.k);
	assert_string_equal(kit_nodes(&t.k), nodes);
	kit_close(&t.k, true);
}

/* It has nothing to do, and says nevertheless that it could. */
static void begin(void)
{
	expect(WORKER_READY);
	assert_int_equal(t.got.msg.err, 0);
	expect(WORKER_DURABLE);
}

static void test_what_is_queued_becomes_durable(void **state)
{
	(void)state;
	side_init();
	expect(WORKER_READY);
	assert_int_equal(t.got.msg.err, 0);
	assert_int_equal(t.got.msg.flags, WORKER_FOUND_NEW);
	assert_true(t.got.msg.room.free_bytes > 0);
	expect(WORKER_DURABLE);
	assert_int_equal(t.got.msg.rev, 0);
	queue_rev("+/config=1 +/config/a=2");
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(3);
	queue_rev("+/config/b=3");
	queue_rev("-/config/a");
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(9);
	worker_gone();
	assert_disk("/config=1 /config/b=3 ");
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
	kit_open(&t.k);
	assert_int_equal(t.k.found.applied, 300);
	kit_close(&t.k, true);
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
		struct pollfd p = { t.fd, POLLIN, 0 };
		char text[40];

		expect(WORKER_READY);
		assert_int_equal(t.got.msg.err, 0);
		assert_true(t.got.msg.rev >= acked);
		assert_false(t.got.msg.flags & (WORKER_FOUND_DAMAGE | WORKER_DEGRADED));
		for (int i = 0; i < 20; i++) {
			snprintf(text, sizeof(text), "+/config/n%d=%llu", i,
				 (unsigned long long)t.rev);
			queue_rev(text);
			say(WORKER_QUEUED, 0, "", 0);
			while (poll(&p, 1, i % 3) == 1) {
				expect(WORKER_DURABLE);
				acked = t.got.msg.rev;
			}
		}
		kill(t.pid, SIGKILL);
		waitpid(t.pid, NULL, 0);
		close(t.fd);
		t.k.told = acked;
		worker_up();
	}
	expect(WORKER_READY);
	side_fini();
}

static void test_the_nodes_are_loaded_parents_first(void **state)
{
	const char *want[] = { "/config", "/config/z", "/config/a", "/config/z/y" };
	unsigned int nr = 0;

	(void)state;
	side_init();
	begin();
	queue_rev("+/config= +/config/z=1 +/config/a=2");
	queue_rev("+/config/z/y=3");
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(6);
	say(WORKER_LOAD, 0, "", 0);
	while (next() == WORKER_NODE) {
		for (const char *p = t.got.data; p < t.got.data + t.got_len; nr++) {
			uint32_t len;
			uint16_t path_len;

			memcpy(&len, p, 4);
			memcpy(&path_len, p + 4, 2);
			assert_int_equal(path_len, strlen(want[nr]));
			assert_memory_equal(p + 6, want[nr], path_len);
			p += 4 + len;
		}
	}
	assert_int_equal(t.got.msg.op, WORKER_LOADED);
	assert_int_equal(t.got.msg.err, 0);
	assert_int_equal(nr, 4);
	side_fini();
}

/* The worker before has not come to it; the first thing that is asked of this one is to load. */
static void test_a_load_has_all_that_is_queued(void **state)
{
	(void)state;
	side_init();
	begin();
	queue_rev("+/config=1");
	worker_gone();
	queue_rev("+/config/a=2");
	worker_up();
	say(WORKER_LOAD, 0, "", 0);
	expect(WORKER_READY);
	assert_int_equal(t.got.msg.rev, 3);
	await_durable(6);
	expect(WORKER_NODE);
	assert_non_null(memmem(t.got.data, t.got_len, "/config/a", 9));
	expect(WORKER_LOADED);
	assert_int_equal(t.got.msg.err, 0);
	assert_int_equal(t.got.msg.rev, 6);
	side_fini();
}

/* What was accepted and does not fit is not in what the disk has: that is no whole answer. */
static void test_a_load_fails_while_what_is_queued_is_refused(void **state)
{
	(void)state;
	side_init();
	begin();
	worker_gone();
	queue_large(200);
	t.k.map_size = 256u << 10;
	worker_up();
	say(WORKER_LOAD, 0, "", 0);
	expect(WORKER_READY);
	while (next() != WORKER_LOADED)
		assert_int_not_equal(t.got.msg.op, WORKER_NODE);
	assert_int_equal(t.got.msg.err, -ENOSPC);
	side_fini();
}

/* What is behind a gap will never be applied: the rest is all there is. */
static void test_a_load_ends_at_a_gap_in_the_queue(void **state)
{
	(void)state;
	side_init();
	begin();
	queue_rev("+/config=1");
	worker_gone();
	t.rev = 50;
	queue_rev("+/config=2");
	worker_up();
	say(WORKER_LOAD, 0, "", 0);
	expect(WORKER_READY);
	expect(WORKER_REFUSED);
	assert_int_equal(t.got.msg.err, -ESTALE);
	expect(WORKER_NODE);
	expect(WORKER_LOADED);
	assert_int_equal(t.got.msg.err, 0);
	assert_int_equal(t.got.msg.rev, 3);
	side_fini();
}

static void test_missing_changes_are_refused_and_a_reset_heals(void **state)
{
	(void)state;
	side_init();
	begin();
	t.rev = 50;
	queue_rev("+/config=1");
	say(WORKER_QUEUED, 0, "", 0);
	expect(WORKER_REFUSED);
	assert_int_equal(t.got.msg.err, -ESTALE);
	assert_int_equal(t.got.msg.rev, 0);
	queue_empty();
	queue_rev("* +/config=2");
	say(WORKER_QUEUED, 0, "", 0);
	while (next() == WORKER_REFUSED)
		;
	assert_int_equal(t.got.msg.op, WORKER_DURABLE);
	assert_int_equal(t.got.msg.rev, 56);
	worker_gone();
	assert_disk("/config=2 ");
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
	begin();
	queue_rev("+/config=1");
	queue_rev("+/config=2 +/config/a=1");
	change_key(key, 6, 1);
	assert_int_equal(mdb_txn_begin(t.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, t.queue, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(3);
	expect(WORKER_REFUSED);
	assert_int_equal(t.got.msg.err, -EBADMSG);
	assert_int_equal(t.got.msg.a, 6);
	assert_int_equal(t.got.msg.rev, 3);
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

/* --- questions --- */

static char answer[200000];
static size_t answer_len;

/* The answer of a question: its err; what came in @answer. */
static int ask(const char *words, size_t len)
{
	static uint32_t id;

	answer_len = 0;
	say(WORKER_ASK, ++id, words, len);
	for (;;) {
		while (next() != WORKER_ANSWER)
			;
		assert_int_equal(t.got.msg.id, id);
		memcpy(answer + answer_len, t.got.data, t.got_len);
		answer_len += t.got_len;
		answer[answer_len] = '\0';
		if (t.got.msg.err != 1)
			return t.got.msg.err;
	}
}

#define ASK(words) ask(words, sizeof(words))

/* "KIND PATH=VALUE" of each record of the answer. */
static const char *records(void)
{
	static char text[4000];
	size_t at = 0;

	text[0] = '\0';
	for (const char *p = answer; p < answer + answer_len;) {
		struct xs_past r;

		memcpy(&r, p, sizeof(r));
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%d%.*s=%.*s ", r.kind,
				       r.path_len, p + sizeof(r), (int)r.value_len,
				       p + sizeof(r) + r.path_len);
		p += r.len;
	}
	return text;
}

static void test_questions_about_the_past_are_answered(void **state)
{
	(void)state;
	side_init();
	begin();
	queue_rev("+/config= +/config/a=1 +/config/a/x=2 +/config/b=3");
	queue_rev("-/config/a +/config/b=4 +/config/n=5 +/config/n/m=6");
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(6);
	assert_int_equal(ASK("at\0" "3\0/config/b"), 0);
	assert_string_equal(records(), "0/config/b=3 ");
	assert_int_equal(ASK("at\0" "3\0/config/n"), -ENOENT);
	assert_int_equal(ASK("tree\0" "3\0/config"), 0);
	assert_string_equal(records(), "0/config= 0/config/a=1 0/config/a/x=2 0/config/b=3 ");
	assert_int_equal(ASK("tree\0" "99\0/config/n"), 0);
	assert_string_equal(records(), "0/config/n=5 0/config/n/m=6 ");
	/* To go back: what came goes, what went comes, parents first. */
	assert_int_equal(ASK("diff\0" "3\0/config"), 0);
	assert_string_equal(records(), "1/config/n= 0/config/a=1 0/config/a/x=2 0/config/b=3 ");
	assert_int_equal(ASK("diff\0" "6\0/config"), 0);
	assert_string_equal(records(), "");
	assert_int_equal(ASK("log\0/config/b"), 0);
	assert_string_equal(records(), "2/config/b=4 2/config/b=3 4/config/b= ");
	assert_int_equal(ASK("at\0x\0/config"), -EINVAL);
	assert_int_equal(ASK("at\0" "3\0/config//"), -EINVAL);
	assert_int_equal(ASK("at\0" "3"), -EINVAL);
	assert_int_equal(ASK("what"), -EINVAL);
	assert_int_equal(ask("log\0/config", 5), -EINVAL);
	side_fini();
}

static void test_a_forgotten_revision_is_said_to_be(void **state)
{
	struct xs_past r;

	(void)state;
	side_init();
	begin();
	t.rev = 50;
	queue_rev("* +/config=1");
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(53);
	worker_gone();
	kit_open(&t.k);
	/* There was no room for what this one replaced. */
	assert_int_equal(kit_try_lean(&t.k, 60, 53, "+/config=2"), 0);
	kit_close(&t.k, true);
	worker_up();
	expect(WORKER_READY);
	for (int i = 0; i < 3; i++) {
		static const char *const words[] = { "at\0" "53\0/config", "tree\0" "53\0/config",
						     "diff\0" "53\0/config" };

		assert_int_equal(ask(words[i], i == 0 ? 14 : 16), 0);
		assert_string_equal(records(), "4/= ");
		memcpy(&r, answer, sizeof(r));
		assert_int_equal(r.rev, 60);
	}
	assert_int_equal(ASK("at\0" "60\0/config"), 0);
	assert_string_equal(records(), "0/config=2 ");
	side_fini();
}

static void test_snapshots_are_whole_and_have_names_of_their_own(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "../store/data", "lock.mdb", "-x",
					   "a b", "0123456789012345678901234567890123456789"
					   "0123456789012345678901234" };
	char words[200];

	(void)state;
	side_init();
	begin();
	queue_rev("+/config=1 +/config/a=2");
	say(WORKER_QUEUED, 0, "", 0);
	/* It has what was accepted before it was asked for. */
	assert_int_equal(ASK("snapshot\0lock"), 0);
	queue_rev("+/config=3");
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(6);
	assert_int_equal(ASK("snapshot\0lock"), -EEXIST);
	assert_int_equal(ASK("snapshot-verify\0lock"), 0);
	assert_int_equal(ASK("snapshot-read\0lock"), 0);
	assert_string_equal(records(), "0/config=1 0/config/a=2 ");
	assert_int_equal(ASK("snapshots"), 0);
	assert_int_equal(strncmp(answer, "lock ", 5), 0);
	assert_non_null(strstr(answer, " 3 "));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int len = snprintf(words, sizeof(words), "snapshot%c%s", 0, bad[i]);

		assert_int_equal(ask(words, (size_t)len + 1), -EINVAL);
	}
	assert_int_equal(ASK("snapshot-remove\0lock"), 0);
	assert_int_equal(ASK("snapshot-remove\0lock"), -ENOENT);
	assert_int_equal(ASK("snapshot-read\0lock"), -ENOENT);
	assert_int_equal(ASK("snapshots"), 0);
	assert_int_equal(answer_len, 0);
	side_fini();
}

/* The err of an answer of any size, and how many bytes it has. */
static int ask_large(const char *words, size_t len, size_t *bytes)
{
	*bytes = 0;
	say(WORKER_ASK, 77, words, len);
	do {
		if (next() == WORKER_ANSWER)
			*bytes += t.got_len;
	} while (t.got.msg.op != WORKER_ANSWER || t.got.msg.err > 0);
	return t.got.msg.err;
}

/* What was verified can be restored, however much it is; other answers stay within a bound. */
static void test_a_snapshot_of_any_size_is_read(void **state)
{
	static const char tree[] = "tree\0" "17403\0/config", read[] = "snapshot-read\0large";
	size_t bytes;

	(void)state;
	side_init();
	begin();
	queue_rev("+/config=1");
	queue_large(5800);
	say(WORKER_QUEUED, 0, "", 0);
	assert_int_equal(ASK("snapshot\0large"), 0);
	assert_int_equal(ask_large(tree, sizeof(tree), &bytes), -E2BIG);
	assert_int_equal(ask_large(read, sizeof(read), &bytes), 0);
	assert_true(bytes > 5800 * 3000);
	side_fini();
}

static void test_a_damaged_snapshot_is_refused_and_the_worker_goes_on(void **state)
{
	static char bytes[1 << 20];
	char path[200], *at;
	int fd;

	(void)state;
	side_init();
	begin();
	queue_rev("+/config=1");
	assert_int_equal(ASK("snapshot\0one"), 0);
	snprintf(path, sizeof(path), "%s/snapshots/one.mdb", t.k.state);
	fd = open(path, O_RDWR);
	at = memmem(bytes, (size_t)read(fd, bytes, sizeof(bytes)), "/config", 7);
	assert_non_null(at);
	assert_int_equal(pwrite(fd, "#", 1, at - bytes + 3), 1);
	close(fd);
	assert_int_equal(ASK("snapshot-verify\0one"), -EBADMSG);
	assert_int_equal(ASK("snapshot-read\0one"), -EBADMSG);
	assert_int_equal(answer_len, 0);
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(ASK("snapshot-read\0one"), -EBADMSG);
	queue_rev("+/config=2");
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(6);
	side_fini();
}

/* The process that answers the one question there is, once those before have ended. */
static pid_t answering(void)
{
	char path[80];
	int pid = 0, other, nr;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", t.pid, t.pid);
	do {
		f = fopen(path, "r");
		assert_non_null(f);
		nr = fscanf(f, "%d %d", &pid, &other);
		fclose(f);
		assert_true(nr > 0);
	} while (nr > 1);
	return pid;
}

/* The err of the last part of the answer to question @id, which may have many. */
static int rest_of_answer(uint32_t id)
{
	struct pollfd p = { t.fd, POLLIN, 0 };

	do {
		if (poll(&p, 1, 30000) != 1)
			fail_msg("nobody says that there will be no answer");
		next();
	} while (t.got.msg.op != WORKER_ANSWER || t.got.msg.id != id || t.got.msg.err == 1);
	return t.got.msg.err;
}

/* Who reads a damaged file may die of it, and whoever lacks memory is killed: a client waits. */
static void test_a_question_is_answered_when_who_answers_it_is_killed(void **state)
{
	struct pollfd p;

	(void)state;
	side_init();
	begin();
	queue_rev("+/config=");
	queue_large(600);
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(t.rev);
	/* More than as many as there may be at one time. */
	for (uint32_t id = 1; id <= 20; id++) {
		say(WORKER_ASK, id, "tree\0" "99999\0/config", 19);
		p = (struct pollfd){ t.fd, POLLIN, 0 };
		assert_int_equal(poll(&p, 1, -1), 1);
		assert_int_equal(kill(answering(), SIGKILL), 0);
		assert_int_equal(rest_of_answer(id), -EIO);
	}
	say(WORKER_ASK, 21, "tree\0" "99999\0/config", 19);
	assert_int_equal(rest_of_answer(21), 0);
	side_fini();
}

/* That there is no file is no word about a node, nor that nothing is lost. */
static void test_a_store_that_cannot_be_read_is_not_taken_for_one_that_has_nothing(void **state)
{
	static const char *const words[] = { "at\0" "3\0/config", "lost", "log\0/config" };
	static const size_t len[] = { 13, 5, 12 };

	(void)state;
	kit_init(&t.k);
	for (size_t i = 0; i < 3; i++) {
		struct {
			struct worker_msg msg;
			char data[WORKER_PACKET];
		} got;
		int fds[2], status;
		pid_t pid;

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
		pid = fork();
		if (pid == 0) {
			struct question q = {
				.fd = fds[1], .text = words[i], .len = len[i],
				.state_dir = t.k.state, .run_dir = t.k.run,
				.path = "/dev/shm/xs-there-is-none/data.mdb", .map_size = 1 << 20,
				.beside = true,
			};

			_exit(question_answer(&q));
		}
		assert_true(recv(fds[0], &got, sizeof(got), 0) >= (ssize_t)sizeof(got.msg));
		assert_int_equal(got.msg.err, -EIO);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		close(fds[0]);
		close(fds[1]);
	}
	kit_fini(&t.k);
}

static unsigned int count_named(const char *dir, const char *pattern)
{
	char path[300];
	unsigned int nr;
	glob_t g;

	snprintf(path, sizeof(path), "%s/%s", dir, pattern);
	if (glob(path, 0, NULL, &g) != 0)
		return 0;
	nr = (unsigned int)g.gl_pathc;
	globfree(&g);
	return nr;
}

static void leave(const char *dir, const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

/* As large as a store each, in memory or beside the snapshots, and nobody would ask for it again. */
static void test_what_killed_questions_leave_is_removed(void **state)
{
	static const char other[] = "00000000000000000001";
	char snapshots[150], name[80];
	struct pollfd p;

	(void)state;
	side_init();
	begin();
	queue_rev("+/config=");
	queue_large(600);
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(t.rev);
	assert_int_equal(ASK("snapshot\0one"), 0);
	snprintf(snapshots, sizeof(snapshots), "%s/snapshots", t.k.state);
	say(WORKER_ASK, 99, "tree\0" "99999\0/config", 19);
	p = (struct pollfd){ t.fd, POLLIN, 0 };
	assert_int_equal(poll(&p, 1, -1), 1);
	/* What it would have if that were its question; and another one, which goes on. */
	snprintf(name, sizeof(name), "part-%020d", answering());
	leave(snapshots, name);
	snprintf(name, sizeof(name), "restored-%020d.mdb", answering());
	leave(t.k.run, name);
	snprintf(name, sizeof(name), "part-%s", other);
	leave(snapshots, name);
	assert_int_equal(kill(answering(), SIGKILL), 0);
	assert_int_equal(rest_of_answer(99), -EIO);
	assert_int_equal(count_named(snapshots, "part-*"), 1);
	assert_int_equal(count_named(t.k.run, "restored-*"), 0);
	/* Nobody was left to do that. */
	worker_gone();
	snprintf(name, sizeof(name), "restored-%s.mdb", other);
	leave(t.k.run, name);
	leave(snapshots, "part-of-the-wall.mdb");
	worker_up();
	begin();
	assert_int_equal(count_named(snapshots, "part-0*"), 0);
	assert_int_equal(count_named(t.k.run, "restored-*"), 0);
	assert_int_equal(count_named(snapshots, "*.mdb"), 2);
	side_fini();
}

/* Each makes a whole one, and the first gets the name: neither touches what the other writes. */
static void test_two_snapshots_of_one_name_do_not_meet(void **state)
{
	int err[3] = { 1, 1, 1 };

	(void)state;
	side_init();
	begin();
	queue_rev("+/config=");
	queue_large(600);
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(t.rev);
	say(WORKER_ASK, 1, "snapshot\0same", 14);
	say(WORKER_ASK, 2, "snapshot\0same", 14);
	while (err[1] == 1 || err[2] == 1)
		if (next() == WORKER_ANSWER)
			err[t.got.msg.id] = t.got.msg.err;
	assert_int_equal(err[1] + err[2], -EEXIST);
	assert_int_equal(ASK("snapshot-verify\0same"), 0);
	side_fini();
}

/* What answers a question waits, here for us to read; it does not outlive who has started it. */
static void test_the_end_of_a_worker_is_seen_while_a_question_hangs(void **state)
{
	struct pollfd p;

	(void)state;
	side_init();
	begin();
	queue_rev("+/config=");
	queue_large(600);
	say(WORKER_QUEUED, 0, "", 0);
	await_durable(t.rev);
	say(WORKER_ASK, 99, "tree\0" "99999\0/config", 19);
	p = (struct pollfd){ t.fd, POLLIN, 0 };
	assert_int_equal(poll(&p, 1, -1), 1);
	assert_int_equal(kill(t.pid, SIGKILL), 0);
	assert_int_equal(waitpid(t.pid, NULL, 0), t.pid);
	p.events = 0;
	assert_int_equal(poll(&p, 1, 30000), 1);
	assert_true(p.revents & POLLHUP);
	close(t.fd);
	worker_up();
	begin();
	side_fini();
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
		cmocka_unit_test(test_questions_about_the_past_are_answered),
		cmocka_unit_test(test_a_forgotten_revision_is_said_to_be),
		cmocka_unit_test(test_snapshots_are_whole_and_have_names_of_their_own),
		cmocka_unit_test(test_a_snapshot_of_any_size_is_read),
		cmocka_unit_test(test_a_damaged_snapshot_is_refused_and_the_worker_goes_on),
		cmocka_unit_test(test_a_question_is_answered_when_who_answers_it_is_killed),
		cmocka_unit_test(test_a_store_that_cannot_be_read_is_not_taken_for_one_that_has_nothing),
		cmocka_unit_test(test_what_killed_questions_leave_is_removed),
		cmocka_unit_test(test_two_snapshots_of_one_name_do_not_meet),
		cmocka_unit_test(test_the_end_of_a_worker_is_seen_while_a_question_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
