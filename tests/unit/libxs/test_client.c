/* SPDX-License-Identifier: MIT */
/*
 * test_client.c - the asynchronous client and the bulk read, against a daemon that breaks on
 * demand.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <xs.h>

#include "fake_store.h"

struct fixture {
	struct fake_store f;
	struct xs_client *c;
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	fake_start(&x->f);
	fake_put(&x->f, "/a", "one");
	assert_int_equal(xs_client_open(&x->c, x->f.path), 0);
	/* answered: accepted, so that a break breaks it */
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL), 0);
	x->f.requests = x->f.reads = 0;
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	xs_client_close(x->c);
	fake_stop(&x->f);
	free(x);
	return 0;
}

struct got {
	int calls, rc;
	char data[64];
};

static void take(void *arg, int rc, const char *data, size_t len)
{
	struct got *g = arg;

	g->calls++;
	g->rc = rc;
	snprintf(g->data, sizeof(g->data), "%.*s", (int)len, data);
}

static void test_many_requests_in_flight_get_their_own_answers(void **state)
{
	struct fixture *x = *state;
	struct got g[500] = { { 0 } };
	char path[32];

	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/n%d", i);
		fake_put(&x->f, path, path + 1);
		assert_int_equal(xs_submit_str(x->c, XS_READ, 0, path, take, &g[i]), 0);
	}
	assert_int_equal(xs_client_wait(x->c), 0);

	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(g[i].calls, 1);
		assert_string_equal(g[i].data, path);
	}
}

static void test_errors_of_the_daemon_become_errno_values(void **state)
{
	struct fixture *x = *state;
	char *data;

	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/none", &data, NULL), -ENOENT);
	assert_int_equal(xs_sync_str(x->c, XS_RM, 0, "/a", NULL, NULL), -ENOSYS);
}

static void test_a_payload_above_the_limit_is_refused_before_it_is_sent(void **state)
{
	struct fixture *x = *state;
	static char big[XENSTORE_PAYLOAD_MAX];

	assert_int_equal(xs_submit_write(x->c, 0, "/a", big, sizeof(big), NULL, NULL), -E2BIG);
	assert_int_equal(x->f.requests, 0);
}

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

static uint32_t start_txn(struct fixture *x)
{
	char *text;
	uint32_t tx;

	assert_int_equal(xs_sync_str(x->c, XS_TRANSACTION_START, 0, "", &text, NULL), 0);
	tx = strtoul(text, NULL, 10);
	free(text);
	return tx;
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

/* It is there, takes connections, and says nothing: as a process that was stopped. */
static void test_of_a_daemon_that_is_silent_too_long_is_said(void **state)
{
	struct fixture *x = *state;
	int question, again;

	xs_client_set_silence(x->c, 100);
	xs_client_set_patience(x->c, 100);
	pthread_mutex_lock(&x->f.lock);
	question = xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL);
	again = xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL);
	pthread_mutex_unlock(&x->f.lock);

	assert_int_equal(question, -EIO);
	assert_int_equal(again, -EIO);
}

static void test_of_a_change_nobody_knows_when_it_stays_silent(void **state)
{
	struct fixture *x = *state;
	int rc;

	x->f.session = "new";
	assert_int_equal(xs_sync_write(x->c, 0, "/a", "1", 1), 0);
	xs_client_set_silence(x->c, 100);
	xs_client_set_patience(x->c, 100);
	pthread_mutex_lock(&x->f.lock);
	rc = xs_sync_write(x->c, 0, "/a", "2", 1);
	pthread_mutex_unlock(&x->f.lock);

	assert_int_equal(rc, -ENOTRECOVERABLE);
}

static void test_a_dump_is_owed_and_a_feed_is_not(void **state)
{
	struct fixture *x = *state;
	struct iovec dump = { (void *)"dump", 5 }, feed = { (void *)"feed", 5 };
	struct got g = { 0 };

	xs_client_set_silence(x->c, 50);
	xs_client_set_patience(x->c, 50);
	pthread_mutex_lock(&x->f.lock);
	assert_int_equal(xs_submit_stream(x->c, &feed, 1, take, &g), 0);
	xs_client_run(x->c, 200);
	assert_int_equal(g.calls, 0);
	assert_int_equal(xs_submit_stream(x->c, &dump, 1, take, &g), 0);
	xs_client_run(x->c, 1000);
	assert_int_equal(g.calls, 2);
	assert_int_equal(g.rc, -EIO);
	pthread_mutex_unlock(&x->f.lock);
}

static void test_who_owes_nothing_may_be_silent(void **state)
{
	struct fixture *x = *state;

	xs_client_set_silence(x->c, 50);
	xs_client_run(x->c, 200);
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL), 0);
	assert_int_equal(x->f.connects, 1);
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

static void test_without_patience_a_lost_connection_ends_everything(void **state)
{
	struct fixture *x = *state;
	struct got g = { 0 };

	xs_client_set_patience(x->c, 0);
	x->f.drop_after = 1;
	xs_submit_str(x->c, XS_READ, 0, "/a", take, &g);

	assert_true(xs_client_wait(x->c) != 0 || g.rc != 0);
	assert_int_equal(g.calls, 1);
	assert_int_not_equal(xs_client_error(x->c), 0);
	assert_int_not_equal(xs_submit_str(x->c, XS_READ, 0, "/a", take, &g), 0);
}

static void test_patience_ends_when_nobody_listens(void **state)
{
	struct fixture *x = *state;
	struct got g = { 0 };

	xs_client_set_patience(x->c, 50);
	fake_accept(&x->f, false);
	fake_break(&x->f);
	xs_submit_str(x->c, XS_READ, 0, "/a", take, &g);
	xs_client_wait(x->c);

	assert_int_equal(g.calls, 1);
	assert_int_equal(g.rc, -EIO);
}

static void test_a_reply_that_claims_an_impossible_length_breaks_the_connection_only(void **state)
{
	struct fixture *x = *state;
	char *data;

	x->f.oversize = 1;

	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", &data, NULL), 0);
	assert_string_equal(data, "one");
	free(data);
	assert_int_equal(x->f.connects, 2);
}

/* ---- watches ---- */

struct events {
	int n;
	char last[64];
};

static void note(void *arg, const char *path)
{
	struct events *e = arg;

	e->n++;
	snprintf(e->last, sizeof(e->last), "%s", path);
}

static void run_until(struct fixture *x, const int *n, int want)
{
	for (int i = 0; i < 500 && *n < want; i++)
		xs_client_run(x->c, 10);
	assert_int_equal(*n, want);
}

static void test_a_watch_fires_once_at_registration_and_at_each_change(void **state)
{
	struct fixture *x = *state;
	struct events e = { 0 };

	assert_int_equal(xs_client_watch(x->c, "/a", -1, note, &e, NULL, NULL), 0);
	run_until(x, &e.n, 1);
	assert_string_equal(e.last, "/a");
	xs_sync_write(x->c, 0, "/a/b", "x", 1);
	run_until(x, &e.n, 2);
	assert_string_equal(e.last, "/a/b");
}

static void test_after_unwatch_no_event_comes(void **state)
{
	struct fixture *x = *state;
	struct events e = { 0 };
	struct xs_client_watch *w;

	xs_client_watch(x->c, "/a", -1, note, &e, NULL, &w);
	run_until(x, &e.n, 1);
	/* sent before the daemon hears of the unwatch: its event is on the way */
	xs_submit_write(x->c, 0, "/a", "x", 1, NULL, NULL);
	xs_client_unwatch(x->c, w);
	xs_client_wait(x->c);
	xs_sync_write(x->c, 0, "/a", "y", 1);

	assert_int_equal(e.n, 1);
}

static void test_unwatch_before_the_answer_is_safe(void **state)
{
	struct fixture *x = *state;
	struct events e = { 0 };
	struct xs_client_watch *w;

	xs_client_watch(x->c, "/a", -1, note, &e, NULL, &w);
	xs_client_unwatch(x->c, w);
	xs_client_wait(x->c);
	xs_sync_write(x->c, 0, "/a", "y", 1);

	assert_int_equal(e.n, 0);
}

static void test_watches_are_made_again_after_a_reconnect_and_fire_once(void **state)
{
	struct fixture *x = *state;
	struct events a = { 0 }, b = { 0 };

	xs_client_watch(x->c, "/a", -1, note, &a, NULL, NULL);
	xs_client_watch(x->c, "/b", -1, note, &b, NULL, NULL);
	run_until(x, &a.n, 1);
	run_until(x, &b.n, 1);
	fake_break(&x->f);
	run_until(x, &a.n, 2);
	run_until(x, &b.n, 2);
	xs_sync_write(x->c, 0, "/b/c", "x", 1);
	run_until(x, &b.n, 3);

	assert_int_equal(a.n, 2);
	assert_string_equal(b.last, "/b/c");
}

static void test_a_watch_that_is_refused_after_a_reconnect_is_asked_for_again(void **state)
{
	struct fixture *x = *state;
	struct events a = { 0 }, b = { 0 };

	xs_client_watch(x->c, "/a", -1, note, &a, NULL, NULL);
	xs_client_watch(x->c, "/b", -1, note, &b, NULL, NULL);
	run_until(x, &a.n, 1);
	run_until(x, &b.n, 1);
	x->f.refuse_watches = 3; /* of two connections */
	fake_break(&x->f);
	run_until(x, &a.n, 2);
	xs_sync_write(x->c, 0, "/a/c", "x", 1);
	run_until(x, &a.n, 3);
	assert_string_equal(a.last, "/a/c");
}

static void test_a_watch_that_is_not_made_again_is_said(void **state)
{
	struct fixture *x = *state;
	struct events e = { 0 };

	xs_client_watch(x->c, "/a", -1, note, &e, NULL, NULL);
	run_until(x, &e.n, 1);
	xs_client_set_patience(x->c, 50);
	x->f.refuse_watches = UINT32_MAX;
	fake_break(&x->f);
	for (int i = 0; i < 500 && !xs_client_error(x->c); i++)
		xs_client_run(x->c, 10);
	assert_int_equal(xs_client_error(x->c), -EIO);
}

static void test_a_watch_is_made_again_where_no_depths_are_known(void **state)
{
	struct fixture *x = *state;
	struct events e = { 0 };

	xs_client_watch(x->c, "/a", 1, note, &e, NULL, NULL);
	run_until(x, &e.n, 1);
	x->f.no_depth = true;
	fake_break(&x->f);
	run_until(x, &e.n, 2);
	xs_sync_write(x->c, 0, "/a/b", "x", 1);
	run_until(x, &e.n, 3);
	assert_int_equal(x->f.connects, 2);
}

/* At each moment of a reconnect: the answer to the watch's second request may be still to come. */
static void test_unwatch_while_it_is_made_again_is_safe(void **state)
{
	struct fixture *x = *state;

	for (int runs = 0; runs < 12; runs++) {
		struct events e = { 0 };
		struct xs_client_watch *w;
		int gone;

		xs_client_watch(x->c, "/a", -1, note, &e, NULL, &w);
		run_until(x, &e.n, 1);
		fake_break(&x->f);
		for (int i = 0; i < runs; i++)
			xs_client_run(x->c, 1);
		xs_client_unwatch(x->c, w);
		gone = e.n;
		assert_int_equal(xs_sync_write(x->c, 0, "/a", "x", 1) == -ENOTRECOVERABLE, 0);
		assert_int_equal(e.n, gone);
	}
}

static void link_changed(void *arg, bool up)
{
	struct events *e = arg;

	e->n++;
	strcat(e->last, up ? "+" : "-");
}

static void test_the_link_callback_tells_lost_then_back(void **state)
{
	struct fixture *x = *state;
	struct events e = { 0 };

	xs_client_on_link(x->c, link_changed, &e);
	fake_break(&x->f);
	run_until(x, &e.n, 2);

	assert_string_equal(e.last, "-+");
}

static void test_the_descriptor_polls_readable_when_there_is_work(void **state)
{
	struct fixture *x = *state;
	struct got g = { 0 };
	struct pollfd p = { .fd = xs_client_fd(x->c), .events = POLLIN };

	assert_true(p.fd >= 0);
	assert_int_equal(poll(&p, 1, 20), 0);
	xs_submit_str(x->c, XS_READ, 0, "/a", take, &g);
	for (int i = 0; i < 100 && !g.calls; i++) {
		assert_int_equal(poll(&p, 1, 1000), 1);
		xs_client_dispatch(x->c);
	}
	assert_string_equal(g.data, "one");
	/* and over a reconnect it is the same descriptor */
	fake_break(&x->f);
	g.calls = 0;
	xs_submit_str(x->c, XS_READ, 0, "/a", take, &g);
	for (int i = 0; i < 1000 && !g.calls; i++) {
		assert_int_equal(poll(&p, 1, 1000), 1);
		xs_client_dispatch(x->c);
	}
	assert_int_equal(g.rc, 0);
	assert_int_equal(xs_client_fd(x->c), p.fd);
}

/* ---- transactions ---- */

static int body(void *arg, struct xs_client *c, uint32_t tx)
{
	++*(int *)arg;
	return xs_sync_write(c, tx, "/a", "x", 1);
}

static void test_a_conflicting_transaction_runs_again(void **state)
{
	struct fixture *x = *state;
	unsigned int attempts;
	int runs = 0;

	x->f.conflicts = 3;

	assert_int_equal(xs_transact(x->c, body, &runs, 10, &attempts), 0);
	assert_int_equal(attempts, 4);
	assert_int_equal(runs, 4);
}

static void test_retries_have_a_bound(void **state)
{
	struct fixture *x = *state;
	unsigned int attempts;
	int runs = 0;

	x->f.conflicts = 100;

	assert_int_equal(xs_transact(x->c, body, &runs, 5, &attempts), -EAGAIN);
	assert_int_equal(attempts, 5);
}

static int refuse(void *arg, struct xs_client *c, uint32_t tx)
{
	++*(int *)arg;
	return -EPERM;
}

static void test_a_body_that_refuses_is_not_run_again(void **state)
{
	struct fixture *x = *state;
	int runs = 0;

	assert_int_equal(xs_transact(x->c, refuse, &runs, 5, NULL), -EPERM);
	assert_int_equal(runs, 1);
}

/* As many bodies do: what cannot be read is not there. */
static int break_then_refuse(void *arg, struct xs_client *c, uint32_t tx)
{
	struct fixture *x = arg;
	int rc;

	if (x->f.connects == 1)
		fake_break(&x->f);
	rc = xs_sync_str(c, XS_READ, tx, "/a", NULL, NULL);
	return rc ? -ENOENT : 0;
}

static void test_what_a_lost_transaction_made_of_it_is_no_verdict(void **state)
{
	struct fixture *x = *state;
	unsigned int attempts;

	assert_int_equal(xs_transact(x->c, break_then_refuse, x, 5, &attempts), 0);
	assert_int_equal(attempts, 2);
}

struct async_txn {
	int bodies, rc, refusal;
	unsigned int attempts;
	bool done;
	struct xs_client *c;
	struct xs_txn *t;
};

static void async_read(void *arg, int rc, const char *data, size_t len)
{
	struct async_txn *a = arg;

	if (rc)
		xs_txn_abort(a->t, a->refusal ? a->refusal : rc);
	else
		xs_txn_commit(a->t);
}

static void async_body(void *arg, struct xs_txn *t)
{
	struct async_txn *a = arg;

	a->bodies++;
	a->t = t;
	xs_submit_str(a->c, XS_READ, xs_txn_id(t), "/a", async_read, a);
}

static void async_done(void *arg, int rc, unsigned int attempts)
{
	struct async_txn *a = arg;

	a->rc = rc;
	a->attempts = attempts;
	a->done = true;
}

static void test_a_transaction_as_a_callback_is_retried(void **state)
{
	struct fixture *x = *state;
	struct async_txn a = { .c = x->c };

	x->f.conflicts = 2;
	assert_int_equal(xs_txn_run(x->c, async_body, async_done, &a, 5), 0);
	while (!a.done)
		xs_client_run(x->c, 100);

	assert_int_equal(a.rc, 0);
	assert_int_equal(a.bodies, 3);
	assert_int_equal(a.attempts, 3);
}

static void test_a_transaction_as_a_callback_survives_a_lost_connection(void **state)
{
	struct fixture *x = *state;
	struct async_txn a = { .c = x->c };

	x->f.drop_after = 2; /* the read inside */
	assert_int_equal(xs_txn_run(x->c, async_body, async_done, &a, 5), 0);
	while (!a.done)
		xs_client_run(x->c, 100);

	assert_int_equal(a.rc, 0);
	assert_int_equal(a.bodies, 2);
	a = (struct async_txn){ .c = x->c, .refusal = -ENOENT };
	x->f.drop_after = 2;
	assert_int_equal(xs_txn_run(x->c, async_body, async_done, &a, 5), 0);
	while (!a.done)
		xs_client_run(x->c, 100);
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.bodies, 2);
}

/* ---- subtrees ---- */

static void fill_tree(struct fixture *x)
{
	fake_put(&x->f, "/t", "top");
	fake_put(&x->f, "/t/b", "2");
	fake_put(&x->f, "/t/a", "1");
	fake_put(&x->f, "/t/a/deep", "3");
}

static void test_a_tree_is_read_whole_and_sorted_when_asked(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;
	char path[64];

	fill_tree(x);
	assert_int_equal(xs_tree_read(x->c, 0, "/t", -1,
				      XS_TREE_VALUES | XS_TREE_PERMS | XS_TREE_SORT, &t), 0);

	assert_string_equal(t->value, "top");
	assert_string_equal(t->children->name, "a");
	assert_string_equal(t->children->next->value, "2");
	assert_string_equal(t->children->children->value, "3");
	assert_int_equal(t->children->perms_len, 6);
	xs_tree_path(t->children->children, path, sizeof(path));
	assert_string_equal(path, "/t/a/deep");
	assert_ptr_equal(xs_tree_next(t, t->children), t->children->children);
	assert_null(xs_tree_next(t, xs_tree_child(t, "b")));
	xs_tree_free(t);
}

static void test_a_tree_is_not_read_deeper_than_asked(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;

	fill_tree(x);
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, XS_TREE_VALUES, &t), 0);
	assert_null(xs_tree_child(t, "a")->children);
	xs_tree_free(t);
	x->f.reads = 0;
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 0, XS_TREE_VALUES, &t), 0);
	assert_int_equal(t->nr_children, 2);
	assert_null(t->children);
	assert_int_equal(x->f.reads, 1);
	xs_tree_free(t);
}

static void test_names_alone_need_no_further_request(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;

	fill_tree(x);
	/* The first reading also finds out that this daemon has no dump; nothing asks again. */
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, 0, &t), 0);
	xs_tree_free(t);
	x->f.requests = 0;
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, 0, &t), 0);
	assert_int_equal(t->nr_children, 2);
	assert_int_equal(x->f.requests, 1);
	xs_tree_free(t);
}

static void test_a_listing_too_long_for_a_message_comes_in_parts(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;
	char path[64];

	fake_put(&x->f, "/big", "");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "/big/child-number-%d", i);
		fake_put(&x->f, path, "v");
	}
	x->f.listing_max = 100;
	assert_int_equal(xs_tree_read(x->c, 0, "/big", -1, XS_TREE_VALUES, &t), 0);
	assert_int_equal(t->nr_children, 300);
	xs_tree_free(t);
}

static void test_a_directory_that_never_holds_still_is_not_listed_for_ever(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t = NULL;

	fill_tree(x);
	x->f.listing_max = 3;
	x->f.churn = true;
	alarm(60);
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, 0, &t), -EAGAIN);
	alarm(0);
}

static void test_a_tree_that_is_not_there_is_an_error(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t = NULL;

	assert_int_equal(xs_tree_read(x->c, 0, "/none", -1, XS_TREE_VALUES, &t), -ENOENT);
	assert_null(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_many_requests_in_flight_get_their_own_answers),
		TEST(test_errors_of_the_daemon_become_errno_values),
		TEST(test_a_payload_above_the_limit_is_refused_before_it_is_sent),
		TEST(test_a_lost_request_outside_a_transaction_is_sent_again),
		TEST(test_a_lost_transaction_never_becomes_the_next_connection_s),
		TEST(test_of_a_daemon_that_is_silent_too_long_is_said),
		TEST(test_of_a_change_nobody_knows_when_it_stays_silent),
		TEST(test_a_dump_is_owed_and_a_feed_is_not),
		TEST(test_who_owes_nothing_may_be_silent),
		TEST(test_a_lost_write_that_was_done_is_not_sent_again),
		TEST(test_a_lost_write_that_was_not_done_is_sent_again),
		TEST(test_a_lost_write_that_failed_failed),
		TEST(test_of_a_lost_write_that_nobody_remembers_that_is_said),
		TEST(test_a_daemon_without_sessions_cannot_tell),
		TEST(test_failures_it_has_forgotten_are_not_successes),
		TEST(test_of_many_lost_writes_just_the_rest_is_sent_again),
		TEST(test_EAGAIN_of_a_lost_commit_means_not_committed),
		TEST(test_a_lost_commit_that_came_true_is_a_success),
		TEST(test_when_no_daemon_comes_back_nobody_knows),
		TEST(test_a_transaction_does_not_outlive_its_connection),
		TEST(test_a_lost_control_request_is_not_sent_again),
		TEST(test_without_patience_a_lost_connection_ends_everything),
		TEST(test_patience_ends_when_nobody_listens),
		TEST(test_a_reply_that_claims_an_impossible_length_breaks_the_connection_only),
		TEST(test_a_watch_fires_once_at_registration_and_at_each_change),
		TEST(test_after_unwatch_no_event_comes),
		TEST(test_unwatch_before_the_answer_is_safe),
		TEST(test_watches_are_made_again_after_a_reconnect_and_fire_once),
		TEST(test_a_watch_that_is_refused_after_a_reconnect_is_asked_for_again),
		TEST(test_a_watch_that_is_not_made_again_is_said),
		TEST(test_a_watch_is_made_again_where_no_depths_are_known),
		TEST(test_unwatch_while_it_is_made_again_is_safe),
		TEST(test_nobody_is_asked_for_ever_what_the_daemon_dies_of),
		TEST(test_the_link_callback_tells_lost_then_back),
		TEST(test_the_descriptor_polls_readable_when_there_is_work),
		TEST(test_a_conflicting_transaction_runs_again),
		TEST(test_retries_have_a_bound),
		TEST(test_a_body_that_refuses_is_not_run_again),
		TEST(test_what_a_lost_transaction_made_of_it_is_no_verdict),
		TEST(test_a_transaction_as_a_callback_is_retried),
		TEST(test_a_transaction_as_a_callback_survives_a_lost_connection),
		TEST(test_a_tree_is_read_whole_and_sorted_when_asked),
		TEST(test_a_tree_is_not_read_deeper_than_asked),
		TEST(test_names_alone_need_no_further_request),
		TEST(test_a_listing_too_long_for_a_message_comes_in_parts),
		TEST(test_a_directory_that_never_holds_still_is_not_listed_for_ever),
		TEST(test_a_tree_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
