/* SPDX-License-Identifier: MIT */
/*
 * test_client_lost.c - what becomes of a request whose answer was lost with the connection: asked
 * again, known from the session, or not to be known.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "client_kit.h"

static void test_a_lost_request_outside_a_transaction_is_sent_again(void **state)
{
	struct fixture *x = *state;
	struct got g = { 0 };

	x->f.drop_after = 1;
	xs_submit_str(x->c, XS_READ, 0, "/a", take, &g);
	assert_int_equal(xs_client_wait(x->c), 0);

	assert_int_equal(g.calls, 1);
	assert_int_equal(g.rc, 0);
	assert_string_equal(g.data, "one");
	assert_int_equal(x->f.connects, 2);
}

static void test_nobody_is_asked_for_ever_what_the_daemon_dies_of(void **state)
{
	struct fixture *x = *state;

	x->f.poison = "/poison";
	alarm(60);
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/poison", NULL, NULL), -EIO);
	/* that it was not done, it is told each time */
	x->f.session = "0 0";
	assert_int_equal(xs_sync_write(x->c, 0, "/poison", "x", 1), -EIO);
	alarm(0);
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL), 0);
}

static void test_a_lost_transaction_never_becomes_the_next_connection_s(void **state)
{
	struct fixture *x = *state;
	uint32_t lost, mine;

	x->f.next_tx = 0;
	lost = start_txn(x);
	fake_break(&x->f);
	x->f.next_tx = 0; /* as the daemon numbers them: anew on each connection */
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL), 0);
	mine = start_txn(x);

	assert_int_equal(xs_sync_write(x->c, lost, "/a", "2", 1), -EAGAIN);
	assert_int_equal(xs_sync_str(x->c, XS_TRANSACTION_END, lost, "T", NULL, NULL), -EAGAIN);
	assert_int_equal(xs_sync_str(x->c, XS_TRANSACTION_END, mine, "T", NULL, NULL), 0);
	assert_string_equal(x->f.value[0], "one");
}

/* Changes are numbered from here. */
#define CHANGE(n) (0x80000000u + (n))

/* The answer to the second write is lost; the daemon says @answer of it (NULL: it cannot). */
static int lost_write(struct fixture *x, const char *answer)
{
	struct got g = { 0 };

	x->f.session = answer ? "new" : NULL;
	assert_int_equal(xs_sync_write(x->c, 0, "/a", "1", 1), 0);
	x->f.session = answer;
	x->f.writes = 0;
	x->f.drop_after = 1;
	assert_int_equal(xs_submit_write(x->c, 0, "/a", "2", 1, take, &g), 0);
	assert_int_equal(xs_client_wait(x->c), 0);
	assert_int_equal(g.calls, 1);
	assert_int_equal(x->f.connects, 2);
	return g.rc;
}

static void test_a_lost_write_that_was_done_is_not_sent_again(void **state)
{
	struct fixture *x = *state;
	char answer[64];

	snprintf(answer, sizeof(answer), "%u 0 %u:EINVAL", CHANGE(2), CHANGE(1));
	assert_int_equal(lost_write(x, answer), 0);
	assert_int_equal(x->f.writes, 0);
}

static void test_a_lost_write_that_was_not_done_is_sent_again(void **state)
{
	struct fixture *x = *state;
	char answer[64];

	snprintf(answer, sizeof(answer), "%u 0", CHANGE(1));
	assert_int_equal(lost_write(x, answer), 0);
	assert_int_equal(x->f.writes, 1);
}

static void test_a_lost_write_that_failed_failed(void **state)
{
	struct fixture *x = *state;
	char answer[64];

	snprintf(answer, sizeof(answer), "%u 0 %u:ENOSPC", CHANGE(1), CHANGE(2));
	assert_int_equal(lost_write(x, answer), -ENOSPC);
	assert_int_equal(x->f.writes, 0);
}

static void test_of_a_lost_write_that_nobody_remembers_that_is_said(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(lost_write(x, "new"), -ENOTRECOVERABLE);
	assert_int_equal(x->f.writes, 0);
}

static void test_a_daemon_without_sessions_cannot_tell(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(lost_write(x, NULL), -ENOTRECOVERABLE);
	assert_int_equal(x->f.writes, 0);
}

static void test_failures_it_has_forgotten_are_not_successes(void **state)
{
	struct fixture *x = *state;
	char answer[64];

	snprintf(answer, sizeof(answer), "%u %u", CHANGE(3), CHANGE(2));
	assert_int_equal(lost_write(x, answer), -ENOTRECOVERABLE);
}

/* Many in flight: of some it is known, the rest goes out again, in order. */
static void test_of_many_lost_writes_just_the_rest_is_sent_again(void **state)
{
	struct fixture *x = *state;
	struct got g[8] = { { 0 } };
	char answer[64], value[4];

	snprintf(answer, sizeof(answer), "%u 0 %u:EACCES", CHANGE(5), CHANGE(2));
	x->f.session_once = "new";
	x->f.session = answer;
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL), 0);
	/* the session, then it breaks at the first write */
	x->f.drop_after = 2;
	for (int i = 0; i < 8; i++) {
		snprintf(value, sizeof(value), "%d", i);
		xs_submit_write(x->c, 0, "/a", value, 1, take, &g[i]);
	}
	assert_int_equal(xs_client_wait(x->c), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(g[i].calls, 1);
		assert_int_equal(g[i].rc, i == 1 ? -EACCES : 0);
	}
	assert_int_equal(x->f.writes, 3);
	assert_string_equal(x->f.value[0], "7");
}

/* The commit, and what was asked before it in the same breath. */
static int lost_commit(struct fixture *x, const char *answer, struct got *inside)
{
	struct got g = { 0 };
	uint32_t tx;

	x->f.session = "new";
	assert_int_equal(xs_sync_write(x->c, 0, "/a", "1", 1), 0);
	tx = start_txn(x);
	x->f.session = answer;
	x->f.drop_after = 1;
	xs_submit_str(x->c, XS_READ, tx, "/a", take, inside);
	xs_submit_str(x->c, XS_TRANSACTION_END, tx, "T", take, &g);
	assert_int_equal(xs_client_wait(x->c), 0);
	assert_int_equal(g.calls, 1);
	assert_int_equal(inside->calls, 1);
	return g.rc;
}

static void test_EAGAIN_of_a_lost_commit_means_not_committed(void **state)
{
	struct fixture *x = *state;
	struct got inside = { 0 };
	char answer[64];

	snprintf(answer, sizeof(answer), "%u 0", CHANGE(1));
	assert_int_equal(lost_commit(x, answer, &inside), -EAGAIN);
	assert_int_equal(inside.rc, -EAGAIN);
}

static void test_a_lost_commit_that_came_true_is_a_success(void **state)
{
	struct fixture *x = *state;
	struct got inside = { 0 };
	char answer[64];

	snprintf(answer, sizeof(answer), "%u 0", CHANGE(2));
	assert_int_equal(lost_commit(x, answer, &inside), 0);
	/* what it read is lost: there is no way to make it up */
	assert_int_equal(inside.rc, -ENOTRECOVERABLE);
}

static void test_when_no_daemon_comes_back_nobody_knows(void **state)
{
	struct fixture *x = *state;
	struct got g = { 0 };

	x->f.session = "new";
	assert_int_equal(xs_sync_write(x->c, 0, "/a", "1", 1), 0);
	xs_client_set_patience(x->c, 50);
	xs_submit_write(x->c, 0, "/a", "2", 1, take, &g);
	x->f.drop_after = 1;
	fake_accept(&x->f, false);
	assert_int_equal(xs_client_wait(x->c), -EIO);
	assert_int_equal(g.rc, -ENOTRECOVERABLE);
}

static void test_a_transaction_does_not_outlive_its_connection(void **state)
{
	struct fixture *x = *state;
	uint32_t tx = start_txn(x);

	fake_break(&x->f);

	assert_int_equal(xs_sync_str(x->c, XS_READ, tx, "/a", NULL, NULL), -EAGAIN);
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL), 0);
	/* the same number on the new connection is somebody else's */
	assert_int_equal(xs_sync_str(x->c, XS_READ, tx, "/a", NULL, NULL), -EAGAIN);
}

static void test_a_lost_control_request_is_not_sent_again(void **state)
{
	struct fixture *x = *state;
	struct got g = { 0 };

	xs_submit_str(x->c, XS_CONTROL, 0, "live-update", take, &g);
	xs_client_run(x->c, 0);
	fake_break(&x->f);
	assert_int_equal(xs_client_wait(x->c), 0);

	assert_int_equal(g.calls, 1);
	assert_int_equal(g.rc, -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_a_lost_request_outside_a_transaction_is_sent_again),
		CLIENT_TEST(test_a_lost_transaction_never_becomes_the_next_connection_s),
		CLIENT_TEST(test_a_lost_write_that_was_done_is_not_sent_again),
		CLIENT_TEST(test_a_lost_write_that_was_not_done_is_sent_again),
		CLIENT_TEST(test_a_lost_write_that_failed_failed),
		CLIENT_TEST(test_of_a_lost_write_that_nobody_remembers_that_is_said),
		CLIENT_TEST(test_a_daemon_without_sessions_cannot_tell),
		CLIENT_TEST(test_failures_it_has_forgotten_are_not_successes),
		CLIENT_TEST(test_of_many_lost_writes_just_the_rest_is_sent_again),
		CLIENT_TEST(test_EAGAIN_of_a_lost_commit_means_not_committed),
		CLIENT_TEST(test_a_lost_commit_that_came_true_is_a_success),
		CLIENT_TEST(test_when_no_daemon_comes_back_nobody_knows),
		CLIENT_TEST(test_a_transaction_does_not_outlive_its_connection),
		CLIENT_TEST(test_a_lost_control_request_is_not_sent_again),
		CLIENT_TEST(test_nobody_is_asked_for_ever_what_the_daemon_dies_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
