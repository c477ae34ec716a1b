/* SPDX-License-Identifier: MIT */
/*
 * test_client_watch.c - watches of the asynchronous client, over lost connections too.
 */
#include <errno.h>

#include "client_kit.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_a_watch_fires_once_at_registration_and_at_each_change),
		CLIENT_TEST(test_after_unwatch_no_event_comes),
		CLIENT_TEST(test_unwatch_before_the_answer_is_safe),
		CLIENT_TEST(test_watches_are_made_again_after_a_reconnect_and_fire_once),
		CLIENT_TEST(test_a_watch_that_is_refused_after_a_reconnect_is_asked_for_again),
		CLIENT_TEST(test_a_watch_that_is_not_made_again_is_said),
		CLIENT_TEST(test_a_watch_is_made_again_where_no_depths_are_known),
		CLIENT_TEST(test_unwatch_while_it_is_made_again_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
