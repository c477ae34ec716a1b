/* SPDX-License-Identifier: MIT */
/*
 * test_questions.c - what the worker is asked is answered beside the queue, by processes of their
 * own: the past, snapshots; whoever is killed, and whatever is damaged.
 */
#include "worker_side.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/question.h"
#include "xs_past.h"

static char answer[200000];
static size_t answer_len;

/* The answer of a question: its err; what came in @answer. */
static int ask(const char *words, size_t len)
{
	static uint32_t id;

	answer_len = 0;
	side_say(WORKER_ASK, ++id, words, len);
	for (;;) {
		while (side_next() != WORKER_ANSWER)
			;
		assert_int_equal(side.got.msg.id, id);
		memcpy(answer + answer_len, side.got.data, side.got_len);
		answer_len += side.got_len;
		answer[answer_len] = '\0';
		if (side.got.msg.err != 1)
			return side.got.msg.err;
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
	side_begin();
	queue_rev("+/config= +/config/a=1 +/config/a/x=2 +/config/b=3");
	queue_rev("-/config/a +/config/b=4 +/config/n=5 +/config/n/m=6");
	side_say(WORKER_QUEUED, 0, "", 0);
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
	side_begin();
	side.rev = 50;
	queue_rev("* +/config=1");
	side_say(WORKER_QUEUED, 0, "", 0);
	await_durable(53);
	worker_gone();
	kit_open(&side.k);
	/* There was no room for what this one replaced. */
	assert_int_equal(kit_try_lean(&side.k, 60, 53, "+/config=2"), 0);
	kit_close(&side.k, true);
	worker_up();
	side_expect(WORKER_READY);
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
	side_begin();
	queue_rev("+/config=1 +/config/a=2");
	side_say(WORKER_QUEUED, 0, "", 0);
	/* It has what was accepted before it was asked for. */
	assert_int_equal(ASK("snapshot\0lock"), 0);
	queue_rev("+/config=3");
	side_say(WORKER_QUEUED, 0, "", 0);
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
	side_say(WORKER_ASK, 77, words, len);
	do {
		if (side_next() == WORKER_ANSWER)
			*bytes += side.got_len;
	} while (side.got.msg.op != WORKER_ANSWER || side.got.msg.err > 0);
	return side.got.msg.err;
}

/* What was verified can be restored, however much it is; other answers stay within a bound. */
static void test_a_snapshot_of_any_size_is_read(void **state)
{
	static const char tree[] = "tree\0" "17403\0/config", read[] = "snapshot-read\0large";
	size_t bytes;

	(void)state;
	side_begin_large(5800);
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
	side_begin();
	queue_rev("+/config=1");
	assert_int_equal(ASK("snapshot\0one"), 0);
	snprintf(path, sizeof(path), "%s/snapshots/one.mdb", side.k.state);
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
	side_say(WORKER_QUEUED, 0, "", 0);
	await_durable(6);
	side_fini();
}

/* The process that answers the one question there is, once those before have ended. */
static pid_t answering(void)
{
	char path[80];
	int pid = 0, other, nr;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", side.pid, side.pid);
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
	struct pollfd p = { side.fd, POLLIN, 0 };

	do {
		if (poll(&p, 1, 30000) != 1)
			fail_msg("nobody says that there will be no answer");
		side_next();
	} while (side.got.msg.op != WORKER_ANSWER || side.got.msg.id != id || side.got.msg.err == 1);
	return side.got.msg.err;
}

/* Who reads a damaged file may die of it, and whoever lacks memory is killed: a client waits. */
static void test_a_question_is_answered_when_who_answers_it_is_killed(void **state)
{
	struct pollfd p;

	(void)state;
	side_begin_large(600);
	/* More than as many as there may be at one time. */
	for (uint32_t id = 1; id <= 20; id++) {
		side_say(WORKER_ASK, id, "tree\0" "99999\0/config", 19);
		p = (struct pollfd){ side.fd, POLLIN, 0 };
		assert_int_equal(poll(&p, 1, -1), 1);
		assert_int_equal(kill(answering(), SIGKILL), 0);
		assert_int_equal(rest_of_answer(id), -EIO);
	}
	side_say(WORKER_ASK, 21, "tree\0" "99999\0/config", 19);
	assert_int_equal(rest_of_answer(21), 0);
	side_fini();
}

/* That there is no file is no word about a node, nor that nothing is lost. */
static void test_a_store_that_cannot_be_read_is_not_taken_for_one_that_has_nothing(void **state)
{
	static const char *const words[] = { "at\0" "3\0/config", "lost", "log\0/config" };
	static const size_t len[] = { 13, 5, 12 };

	(void)state;
	kit_init(&side.k);
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
				.state_dir = side.k.state, .run_dir = side.k.run,
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
	kit_fini(&side.k);
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

/*
 * As large as a store each, in memory or beside the snapshots, and nobody would ask for it again.
 */
static void test_what_killed_questions_leave_is_removed(void **state)
{
	static const char other[] = "00000000000000000001";
	char snapshots[150], name[80];
	struct pollfd p;

	(void)state;
	side_begin_large(600);
	assert_int_equal(ASK("snapshot\0one"), 0);
	snprintf(snapshots, sizeof(snapshots), "%s/snapshots", side.k.state);
	side_say(WORKER_ASK, 99, "tree\0" "99999\0/config", 19);
	p = (struct pollfd){ side.fd, POLLIN, 0 };
	assert_int_equal(poll(&p, 1, -1), 1);
	/* What it would have if that were its question; and another one, which goes on. */
	snprintf(name, sizeof(name), "part-%020d", answering());
	leave(snapshots, name);
	snprintf(name, sizeof(name), "restored-%020d.mdb", answering());
	leave(side.k.run, name);
	snprintf(name, sizeof(name), "part-%s", other);
	leave(snapshots, name);
	assert_int_equal(kill(answering(), SIGKILL), 0);
	assert_int_equal(rest_of_answer(99), -EIO);
	assert_int_equal(count_named(snapshots, "part-*"), 1);
	assert_int_equal(count_named(side.k.run, "restored-*"), 0);
	/* Nobody was left to do that. */
	worker_gone();
	snprintf(name, sizeof(name), "restored-%s.mdb", other);
	leave(side.k.run, name);
	leave(snapshots, "part-of-the-wall.mdb");
	worker_up();
	side_begin();
	assert_int_equal(count_named(snapshots, "part-0*"), 0);
	assert_int_equal(count_named(side.k.run, "restored-*"), 0);
	assert_int_equal(count_named(snapshots, "*.mdb"), 2);
	side_fini();
}

/* Each makes a whole one, and the first gets the name: neither touches what the other writes. */
static void test_two_snapshots_of_one_name_do_not_meet(void **state)
{
	int err[3] = { 1, 1, 1 };

	(void)state;
	side_begin_large(600);
	side_say(WORKER_ASK, 1, "snapshot\0same", 14);
	side_say(WORKER_ASK, 2, "snapshot\0same", 14);
	while (err[1] == 1 || err[2] == 1)
		if (side_next() == WORKER_ANSWER)
			err[side.got.msg.id] = side.got.msg.err;
	assert_int_equal(err[1] + err[2], -EEXIST);
	assert_int_equal(ASK("snapshot-verify\0same"), 0);
	side_fini();
}

/* What answers a question waits, here for us to read; it does not outlive who has started it. */
static void test_the_end_of_a_worker_is_seen_while_a_question_hangs(void **state)
{
	struct pollfd p;

	(void)state;
	side_begin_large(600);
	side_say(WORKER_ASK, 99, "tree\0" "99999\0/config", 19);
	p = (struct pollfd){ side.fd, POLLIN, 0 };
	assert_int_equal(poll(&p, 1, -1), 1);
	assert_int_equal(kill(side.pid, SIGKILL), 0);
	assert_int_equal(waitpid(side.pid, NULL, 0), side.pid);
	p.events = 0;
	assert_int_equal(poll(&p, 1, 30000), 1);
	assert_true(p.revents & POLLHUP);
	close(side.fd);
	worker_up();
	side_begin();
	side_fini();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
