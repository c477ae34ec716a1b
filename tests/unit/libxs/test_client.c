/* SPDX-License-Identifier: MIT */
/*
 * test_client.c - the asynchronous client: requests and their answers, silence, patience, its
 * descriptor, against a daemon that breaks on demand.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_kit.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_many_requests_in_flight_get_their_own_answers),
		CLIENT_TEST(test_errors_of_the_daemon_become_errno_values),
		CLIENT_TEST(test_a_payload_above_the_limit_is_refused_before_it_is_sent),
		CLIENT_TEST(test_of_a_daemon_that_is_silent_too_long_is_said),
		CLIENT_TEST(test_of_a_change_nobody_knows_when_it_stays_silent),
		CLIENT_TEST(test_a_dump_is_owed_and_a_feed_is_not),
		CLIENT_TEST(test_who_owes_nothing_may_be_silent),
		CLIENT_TEST(test_without_patience_a_lost_connection_ends_everything),
		CLIENT_TEST(test_patience_ends_when_nobody_listens),
		CLIENT_TEST(test_a_reply_that_claims_an_impossible_length_breaks_the_connection_only),
		CLIENT_TEST(test_the_link_callback_tells_lost_then_back),
		CLIENT_TEST(test_the_descriptor_polls_readable_when_there_is_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
