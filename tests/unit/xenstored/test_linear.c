/* SPDX-License-Identifier: MIT */
/*
 * test_linear.c - histories of several clients at once, with the daemon killed, ended or updated in
 * between. Claims: the store behaves as if requests and transactions were carried out one after
 * the other, each once, at a moment between being asked for and being answered; what was under way
 * at the end of a daemon happened before or never does, and its session says which. EAGAIN has a
 * reason: something that another client did meanwhile, and was not committed.
 *
 * argv[1]: the daemon built with the fake machine. STOREVISOR_SEED, STOREVISOR_LONG.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linear.h"
#include "live.h"
#include "xs_session.h"

#define CLIENTS 8
#define OPS_EACH 40

/* Where a client is in its operation. */
enum phase { IDLE, PLAIN, STARTING, INSIDE, ENDING };

struct client {
	int fd;
	enum phase phase;
	uint32_t tx;
	struct linear_op op;
	unsigned int done;	/* steps of it */
	unsigned int left;
	char token[XS_SESSION_TOKEN_BUF];
	uint32_t changes, id;	/* how many it has numbered; of the request under way */
	unsigned int began;	/* when its transaction was asked for */
};

static struct history {
	struct client client[CLIENTS];
	struct linear_op op[LINEAR_OPS];
	unsigned int nr, moment;
	uint16_t last_value;
	const char *dir;
	struct linear_op failed[CLIENTS * OPS_EACH];	/* ended in EAGAIN; from START on */
	unsigned int nr_failed;
	unsigned int conflicts, lost, lost_done;
} h;

static void path_of(char *out, const struct linear_step *s)
{
	if (s->kind == LINEAR_LIST)
		strcpy(out, h.dir);
	else
		sprintf(out, "%s/%c", h.dir, (char)('a' + s->key));
}

static void send_step(struct client *c, const struct linear_step *s)
{
	static const uint32_t types[] = { XS_READ, XS_WRITE, XS_RM, XS_DIRECTORY };
	char data[64];
	uint32_t len;

	path_of(data, s);
	len = (uint32_t)strlen(data) + 1;
	if (s->kind == LINEAR_WRITE)
		len += (uint32_t)sprintf(data + len, "%u", s->value);
	c->id = xs_session_next(&c->changes, xs_session_counts(types[s->kind], c->tx, data));
	live_send_as(c->fd, c->id, types[s->kind], c->tx, data, len);
}

static void make_step(struct linear_step *s)
{
	unsigned int what = live_rnd(10);

	s->kind = what < 4 ? LINEAR_READ : what < 7 ? LINEAR_WRITE : what < 8 ? LINEAR_RM :
							LINEAR_LIST;
	s->key = live_rnd(LINEAR_KEYS);
	s->value = s->kind == LINEAR_WRITE ? ++h.last_value : 0;
}

static void begin(struct client *c)
{
	c->op = (struct linear_op){ .begin = h.moment++, .nr = 1 };
	c->began = c->op.begin;
	c->done = 0;
	c->tx = 0;
	c->left--;
	if (live_rnd(3) == 0)
		c->op.nr = 2 + live_rnd(LINEAR_STEPS - 2);
	for (unsigned int i = 0; i < c->op.nr; i++)
		make_step(&c->op.step[i]);
	c->phase = c->op.nr > 1 ? STARTING : PLAIN;
	if (c->phase == PLAIN)
		send_step(c, &c->op.step[0]);
	else
		live_send(c->fd, XS_TRANSACTION_START, 0, "", 1);
}

static void over(struct client *c, bool happened)
{
	c->op.end = h.moment++;
	c->phase = IDLE;
	if (happened)
		h.op[h.nr++] = c->op;
}

static void note_answer(struct linear_step *s, int err, const char *text, uint32_t len)
{
	if (s->kind == LINEAR_READ) {
		assert_true(err == 0 || err == ENOENT);
		s->value = err ? LINEAR_ABSENT : (uint16_t)atoi(text);
		return;
	}
	assert_int_equal(err, 0);
	if (s->kind != LINEAR_LIST)
		return;
	for (uint32_t at = 0; at < len; at += (uint32_t)strlen(text + at) + 1)
		s->value |= (uint16_t)(1u << (text[at] - 'a'));
}

/* One answer for @c is there. False: the daemon has gone. */
static bool answered(struct client *c)
{
	char text[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t len = 0;
	int err = live_await_len(c->fd, text, &len);

	if (err < 0)
		return false;
	switch (c->phase) {
	case IDLE:
		fail_msg("an answer to nothing");
		break;
	case STARTING:
		assert_int_equal(err, 0);
		c->tx = (uint32_t)strtoul(text, NULL, 10);
		c->phase = INSIDE;
		send_step(c, &c->op.step[0]);
		break;
	case PLAIN:
	case INSIDE:
		note_answer(&c->op.step[c->done++], err, text, len);
		if (c->phase == PLAIN) {
			over(c, true);
		} else if (c->done < c->op.nr) {
			send_step(c, &c->op.step[c->done]);
		} else {
			/* It happens at its end, if at all: what it read must be true then. */
			c->op.begin = h.moment++;
			c->phase = ENDING;
			c->id = xs_session_next(&c->changes, true);
			live_send_as(c->fd, c->id, XS_TRANSACTION_END, c->tx, "T", 2);
		}
		break;
	case ENDING:
		assert_true(err == 0 || err == EAGAIN);
		over(c, err == 0);
		if (err) {
			c->op.begin = c->began;
			h.failed[h.nr_failed++] = c->op;
			h.conflicts++;
		}
		break;
	}
	return true;
}

/* A connection for @c, its session taken up. What the daemon says of it goes to @answer. */
static void connect_client(struct client *c, char *answer)
{
	char request[8 + XS_SESSION_TOKEN_BUF] = "session";
	int err;

	memcpy(request + 8, c->token, sizeof(c->token));
	do {
		c->fd = live_open();
		err = live_request(c->fd, XS_CONTROL, request, sizeof(request), answer);
		if (err < 0)
			close(c->fd);
		/* the one before is still on its way out */
	} while (err < 0);
	assert_int_equal(err, 0);
}

/*
 * The connection has gone. What was under way happened before now, or never will; of what changes
 * something the session knows which, and with what answer.
 */
static void lost(struct client *c)
{
	char answer[XENSTORE_PAYLOAD_MAX + 1];
	bool asked = c->phase == ENDING ||
		     (c->phase == PLAIN && c->op.step[0].kind != LINEAR_READ &&
		      c->op.step[0].kind != LINEAR_LIST);
	int rc;

	close(c->fd);
	connect_client(c, answer);
	if (asked) {
		rc = xs_session_outcome(answer, c->id);
		h.lost++;
		h.lost_done += rc == 0;
		if (rc != 0 && rc != 1 && !(rc == -EAGAIN && c->phase == ENDING))
			fail_msg("of %u is said: %s", c->id, answer);
		over(c, rc == 0);
	} else if (c->phase != IDLE) {
		over(c, false);
	}
}

enum how { KILLED, ENDED, UPDATED };

static void end_daemon(enum how how)
{
	int fd = how == UPDATED ? live_open() : -1;

	if (fd < 0) {
		live_kill(how == KILLED ? SIGKILL : SIGTERM);
		live_start();
		return;
	}
	/* Answered, and then it ends every connection. */
	live_request(fd, XS_CONTROL, "live-update\0-s", 15, NULL);
	live_await(fd, NULL);
	close(fd);
}

static void restart(enum how how)
{
	end_daemon(how);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c = &h.client[i];
		struct pollfd pfd = { .fd = c->fd, .events = POLLIN };

		/* Answers that were sent before the end count. */
		while (c->phase != IDLE && poll(&pfd, 1, 0) > 0 && answered(c))
			;
		lost(c);
	}
}

/* Everybody waits: nothing to do before an answer comes. */
static void wait_for_any(void)
{
	struct pollfd pfd[CLIENTS];

	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (h.client[i].phase == IDLE && h.client[i].left)
			return;
		pfd[i] = (struct pollfd){ h.client[i].phase == IDLE ? -1 : h.client[i].fd, POLLIN, 0 };
	}
	poll(pfd, CLIENTS, 100);
}

static bool one_turn(bool killed)
{
	struct client *c = &h.client[live_rnd(CLIENTS)];
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	unsigned int busy = 0;

	if (c->phase == IDLE && c->left) {
		begin(c);
	} else if (c->phase != IDLE && poll(&pfd, 1, 0) > 0 && !answered(c)) {
		/* The worker of the dead daemon may have kept its socket for a moment. */
		assert_true(killed);
		lost(c);
	}
	wait_for_any();
	for (unsigned int i = 0; i < CLIENTS; i++)
		busy += h.client[i].phase != IDLE || h.client[i].left;
	return busy > 0;
}

static void clean(int fd)
{
	char path[64];

	sprintf(path, "%s/x", h.dir);
	live_request(fd, XS_RM, h.dir, (uint32_t)strlen(h.dir) + 1, NULL);
	assert_int_equal(live_request(fd, XS_MKDIR, h.dir, (uint32_t)strlen(h.dir) + 1, NULL), 0);
}

static void print_history(void)
{
	static const char *const names[] = { "read", "write", "rm", "list" };

	for (unsigned int i = 0; i < h.nr; i++) {
		print_message("%u-%u%s:", h.op[i].begin, h.op[i].end, h.op[i].unknown ? "?" : "");
		for (unsigned int k = 0; k < h.op[i].nr; k++)
			print_message(" %s %c %u", names[h.op[i].step[k].kind],
				      (char)('a' + h.op[i].step[k].key), h.op[i].step[k].value);
		print_message("\n");
	}
}

/* Whether a step of another client's changes what one of ours saw or named. */
static bool disturbs(const struct linear_step *theirs, const struct linear_step *ours)
{
	if (theirs->kind != LINEAR_WRITE && theirs->kind != LINEAR_RM)
		return false;
	return ours->kind == LINEAR_LIST || ours->key == theirs->key;
}

/* EAGAIN: something was done by somebody else while the transaction was open. */
static bool explained(const struct linear_op *failed)
{
	for (unsigned int i = 0; i < h.nr; i++) {
		const struct linear_op *o = &h.op[i];

		if (o->end < failed->begin || o->begin > failed->end)
			continue;
		for (unsigned int k = 0; k < o->nr * failed->nr; k++) {
			if (disturbs(&o->step[k / failed->nr], &failed->step[k % failed->nr]))
				return true;
		}
	}
	return false;
}

static void one_history(unsigned int i)
{
	unsigned int kill_at = i % 3 ? LINEAR_OPS : 100 + live_rnd(200);
	bool killed = false;

	h.nr = h.moment = h.last_value = h.nr_failed = 0;
	h.dir = i % 2 ? "/config/L" : "/run/L";
	for (unsigned int k = 0; k < CLIENTS; k++) {
		h.client[k] = (struct client){ .left = OPS_EACH };
		assert_int_equal(xs_session_name(h.client[k].token), 0);
		connect_client(&h.client[k], NULL);
		if (k == 0)
			clean(h.client[0].fd);
	}
	while (one_turn(killed)) {
		if (h.moment < kill_at)
			continue;
		restart((enum how)live_rnd(3));
		killed = true;
		kill_at = kill_at < 300 ? 400 + live_rnd(100) : LINEAR_OPS;
	}
	for (unsigned int k = 0; k < CLIENTS; k++)
		close(h.client[k].fd);
	for (unsigned int k = 0; k < h.nr_failed; k++) {
		if (!explained(&h.failed[k])) {
			print_history();
			fail_msg("history %u: EAGAIN for nothing, %u-%u", i, h.failed[k].begin,
				 h.failed[k].end);
		}
	}
	if (!linear_check(h.op, h.nr)) {
		print_history();
		fail_msg("history %u: no order explains these answers", i);
	}
}

#ifdef __SANITIZE_ADDRESS__
#define HISTORIES 60
#else
#define HISTORIES 300
#endif

static void test_histories_have_an_order(void **state)
{
	unsigned int nr = live_count(HISTORIES, 20000), ops = 0;

	for (unsigned int i = 0; i < nr; i++) {
		one_history(i);
		ops += h.nr;
	}
	print_message("%u histories, %u operations, %u conflicts, %u without an answer, %u of them "
		      "done\n",
		      nr, ops, h.conflicts, h.lost, h.lost_done);
	assert_true(h.lost > h.lost_done && h.lost_done > 0);
}

/* --- the checker finds what it should --- */

#define R(k, v) { LINEAR_READ, k, v }
#define W(k, v) { LINEAR_WRITE, k, v }

static void test_checker_accepts_either_order_of_what_overlaps(void **state)
{
	const struct linear_op ops[] = {
		{ 0, 3, false, 1, { W(0, 1) } },
		{ 1, 5, false, 1, { W(0, 2) } },
		{ 2, 4, false, 1, { R(0, 2) } },
		{ 6, 7, false, 1, { R(0, 1) } },
	};

	assert_true(linear_check(ops, 2));
	assert_true(linear_check(ops, 3));
	/* 2 was read before 1 was over; then 1 again is the order 2, read, 1. */
	assert_true(linear_check(ops, 4));
}

static void test_checker_refuses_stale_reads_and_lost_updates(void **state)
{
	const struct linear_op stale[] = {
		{ 0, 1, false, 1, { W(0, 1) } },
		{ 2, 3, false, 1, { W(0, 2) } },
		{ 4, 5, false, 1, { R(0, 1) } },
	};
	const struct linear_op lost[] = {
		{ 0, 1, false, 1, { W(0, 1) } },
		{ 2, 4, false, 2, { R(0, 1), W(0, 2) } },
		{ 3, 5, false, 2, { R(0, 1), W(0, 3) } },
	};
	const struct linear_op split[] = {
		{ 0, 1, false, 2, { W(0, 1), W(1, 1) } },
		{ 2, 5, false, 2, { W(0, 2), W(1, 2) } },
		{ 3, 4, false, 2, { R(0, 2), R(1, 1) } },
	};

	assert_false(linear_check(stale, 3));
	assert_false(linear_check(lost, 3));
	assert_false(linear_check(split, 3));
}

static void test_checker_lets_the_unanswered_happen_or_not_but_not_late(void **state)
{
	struct linear_op ops[] = {
		{ 0, 1, false, 1, { W(0, 1) } },
		{ 2, 3, true, 1, { W(0, 2) } },
		{ 4, 5, false, 1, { R(0, 1) } },
		{ 6, 7, false, 1, { R(0, 2) } },
	};

	assert_true(linear_check(ops, 3));
	assert_false(linear_check(ops, 4));
	ops[2].step[0].value = 2;
	assert_true(linear_check(ops, 4));
}

static int setup(void **state)
{
	if (live_make() < 0)
		return -1;
	live_quiet = true;
	live_start();
	return 0;
}

static int teardown(void **state)
{
	return live_remove();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checker_accepts_either_order_of_what_overlaps),
		cmocka_unit_test(test_checker_refuses_stale_reads_and_lost_updates),
		cmocka_unit_test(test_checker_lets_the_unanswered_happen_or_not_but_not_late),
		cmocka_unit_test_setup_teardown(test_histories_have_an_order, setup, teardown),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
