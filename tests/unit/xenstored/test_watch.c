/* SPDX-License-Identifier: MIT */
/* test_watch.c - who gets which event, when, and what becomes of events nobody reads. */
#include <errno.h>

#include "harness.h"

static struct server *srv;
static struct conn *a, *b, *d1, *d2;
static char text[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	a = t_client(srv, 0);
	b = t_client(srv, 0);
	d1 = t_client(srv, 1);
	d2 = t_client(srv, 2);
	t_mkdir(a, 0, "/local/domain/1");
	t_setp(a, 0, "/local/domain/1", "n1");
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static void test_new_watch_fires_once_after_the_reply(void **state)
{
	assert_int_equal(t_watch(b, "/nowhere/yet", "tok"), 0);

	t_expect_event(b, "/nowhere/yet", "tok");
	t_expect_quiet(b);
}

static void test_own_event_comes_behind_the_reply(void **state)
{
	const char write[] = "/w\0x";
	struct xsd_sockmsg hdr = { XS_WRITE, 1, 0, 4 };
	char bytes[64];

	t_watch(a, "/w", "tok");
	t_expect_event(a, "/w", "tok");
	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), write, 4);
	conn_input(a, bytes, sizeof(hdr) + 4, 1);

	assert_int_equal(t_next(a)->type, XS_WRITE);
	t_expect_event(a, "/w", "tok");
}

static void test_the_writer_is_served_before_its_watchers(void **state)
{
	const char write[] = "/w\0x";
	struct xsd_sockmsg hdr = { XS_WRITE, 1, 0, 4 };
	char bytes[64];

	t_watch(b, "/w", "tok");
	conns_flush(srv);
	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), write, 4);
	conn_input(a, bytes, sizeof(hdr) + 4, 1);

	assert_ptr_equal(srv->wire.flush_list, a);
	assert_ptr_equal(a->flush_next, b);
	conns_flush(srv);
	assert_null(srv->wire.flush_list);
}

static void test_changes_below_fire_with_their_own_path(void **state)
{
	t_watch(b, "/x", "tok");
	t_expect_event(b, "/x", "tok");

	t_write(a, 0, "/x/y/z", "1");
	t_mkdir(a, 0, "/x/m");
	t_setp(a, 0, "/x/m", "n0 r1");
	t_rm(a, 0, "/x/y");
	t_write(a, 0, "/xx", "no");
	t_mkdir(a, 0, "/x/m");

	t_expect_event(b, "/x/y/z", "tok");
	t_expect_event(b, "/x/m", "tok");
	t_expect_event(b, "/x/m", "tok");
	t_expect_event(b, "/x/y", "tok");
	t_expect_quiet(b);
}

static void test_same_value_fires_too(void **state)
{
	t_write(a, 0, "/x", "1");
	t_watch(b, "/x", "tok");
	t_expect_event(b, "/x", "tok");

	t_write(a, 0, "/x", "1");

	t_expect_event(b, "/x", "tok");
}

static void test_removal_above_fires_watches_below(void **state)
{
	t_write(a, 0, "/x/y/z", "1");
	t_watch(b, "/x/y/z", "deep");
	t_watch(b, "/", "root");
	t_expect_event(b, "/x/y/z", "deep");
	t_expect_event(b, "/", "root");

	t_rm(a, 0, "/x");

	t_expect_event(b, "/x", "root");
	t_expect_event(b, "/x/y/z", "deep");
	t_expect_quiet(b);
}

static void test_duplicate_is_EEXIST_and_unknown_ENOENT(void **state)
{
	assert_int_equal(t_watch(b, "/x", "tok"), 0);
	assert_int_equal(t_watch(b, "/x", "tok"), EEXIST);
	assert_int_equal(t_watch(b, "/x", "other"), 0);
	assert_int_equal(t_watch(a, "/x", "tok"), 0);
	assert_int_equal(t_unwatch(b, "/x", "none"), ENOENT);
	assert_int_equal(t_unwatch(b, "/y", "tok"), ENOENT);
	assert_int_equal(t_unwatch(b, "/x", "tok"), 0);
	assert_int_equal(t_unwatch(b, "/x", "tok"), ENOENT);
}

static void test_depth_limits_how_far_below(void **state)
{
	assert_int_equal(t_call(b, XS_WATCH, NULL, "/x", "d0", "0", NULL), 0);
	assert_int_equal(t_call(b, XS_WATCH, NULL, "/x", "d1", "1", NULL), 0);
	t_expect_event(b, "/x", "d0");
	t_expect_event(b, "/x", "d1");

	t_write(a, 0, "/x/y", "1");
	t_write(a, 0, "/x/y/z", "1");
	t_write(a, 0, "/x", "1");

	t_expect_event(b, "/x/y", "d1");
	t_expect_event(b, "/x", "d0");
	t_expect_event(b, "/x", "d1");
	t_expect_quiet(b);
	assert_int_equal(t_call(b, XS_WATCH, NULL, "/x", "d", "x", NULL), EINVAL);
}

static void test_relative_watch_gets_relative_paths(void **state)
{
	t_watch(d1, "data", "tok");
	t_expect_event(d1, "data", "tok");

	t_write(d1, 0, "data/x", "1");
	t_expect_event(d1, "data/x", "tok");

	t_watch(d1, "/local/domain/1/data", "abs");
	t_expect_event(d1, "/local/domain/1/data", "abs");
}

static void test_no_event_for_what_the_watcher_may_not_read(void **state)
{
	t_watch(d1, "/secret", "tok");
	t_expect_event(d1, "/secret", "tok");

	t_write(a, 0, "/secret/x", "1");
	t_rm(a, 0, "/secret");
	t_expect_quiet(d1);

	t_write(a, 0, "/secret", "1");
	t_setp(a, 0, "/secret", "n0 r1");
	t_expect_event(d1, "/secret", "tok");
	t_rm(a, 0, "/secret");
	t_expect_event(d1, "/secret", "tok");
	t_expect_quiet(d1);
}

static void test_special_watches_need_explicit_rights(void **state)
{
	assert_int_equal(t_watch(d1, "@releaseDomain", "tok"), 0);
	assert_int_equal(t_watch(a, "@releaseDomain", "tok"), 0);
	t_expect_event(d1, "@releaseDomain", "tok");
	t_expect_event(a, "@releaseDomain", "tok");

	fake_domain(srv->hv, 2, FAKE_EXISTS | FAKE_SHUTDOWN);
	domains_check(srv);
	t_expect_event(a, "@releaseDomain", "tok");
	t_expect_quiet(d1);

	assert_int_equal(t_setp(a, 0, "@releaseDomain", "n0 r1"), 0);
	assert_int_equal(t_getp(a, 0, "@releaseDomain", text), 0);
	assert_string_equal(text, "n0 r1");
	fake_domain(srv->hv, 2, FAKE_EXISTS);
	domains_check(srv);
	t_expect_quiet(d1);
	fake_domain(srv->hv, 2, 0);
	domains_check(srv);
	t_expect_event(d1, "@releaseDomain", "tok");
	t_expect_event(a, "@releaseDomain", "tok");
	conns_reap(srv);
}

static void test_guests_cannot_set_special_permissions(void **state)
{
	assert_int_equal(t_setp(d1, 0, "@releaseDomain", "n1"), EINVAL);
	assert_int_equal(t_getp(d1, 0, "@releaseDomain", text), EINVAL);
	assert_int_equal(t_setp(a, 0, "@nonsense", "n0"), ENOENT);
}

static void test_special_forms_for_one_domain(void **state)
{
	t_watch(a, "@releaseDomain/2", "two");
	t_watch(a, "@releaseDomain/1", "one");
	assert_int_equal(t_call(a, XS_WATCH, NULL, "@releaseDomain", "who", "1", NULL), 0);
	assert_int_equal(t_call(a, XS_WATCH, NULL, "@releaseDomain", "bad", "2", NULL), EINVAL);
	t_expect_event(a, "@releaseDomain/2", "two");
	t_expect_event(a, "@releaseDomain/1", "one");
	t_expect_event(a, "@releaseDomain", "who");

	fake_domain(srv->hv, 2, 0);
	domains_check(srv);

	t_expect_event(a, "@releaseDomain/2", "who");
	t_expect_event(a, "@releaseDomain/2", "two");
	t_expect_quiet(a);
	conns_reap(srv);
}

static void test_introduction_fires(void **state)
{
	t_watch(a, "@introduceDomain", "tok");
	t_expect_event(a, "@introduceDomain", "tok");
	fake_domain(srv->hv, 7, FAKE_EXISTS);

	assert_int_equal(t_call(b, XS_INTRODUCE, NULL, "7", "1", "5", NULL), 0);
	t_expect_event(a, "@introduceDomain", "tok");
	assert_int_equal(t_call(b, XS_INTRODUCE, NULL, "7", "1", "6", NULL), 0);
	t_expect_quiet(a);
}

static void test_waiting_events_merge(void **state)
{
	char path[64];

	t_watch(b, "/x", "tok");
	for (int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/x/%d", i % 10);
		t_write(a, 0, path, "1");
	}
	assert_true(b->events.nr <= 10);
	assert_true(buf_len(&b->out) < 2 * CONN_EVENTS_HIGH);
}

static void test_guest_that_never_reads_is_ignored_within_its_memory(void **state)
{
	char path[64];

	t_watch(d1, "data", "tok");
	t_mkdir(a, 0, "/local/domain/1/data");
	for (int i = 0; i < 100000 && !d1->ignored; i++) {
		snprintf(path, sizeof(path), "/local/domain/1/data/%d", i);
		t_write(a, 0, path, "1");
		t_rm(a, 0, path);
	}

	assert_true(d1->ignored);
	assert_true(domain_find(&srv->domains, 1)->used[QUOTA_MEMORY] < 2560 * 1024);
}

/* A reply that the disk keeps back, in front of all that comes. */
static void hold_a_reply(struct conn *c)
{
	char bytes[XS_WIRE_HDR_LEN + 3];

	xs_wire_put_hdr(bytes, XS_WRITE, 1, 0, 3);
	memcpy(bytes + XS_WIRE_HDR_LEN, "OK", 3);
	srv->durable.rev = 4;
	assert_int_equal(conn_hold_again(c, 5, bytes, sizeof(bytes)), 0);
}

static void let_go(void)
{
	srv->durable.rev = UINT64_MAX;
	conns_release_held(srv, UINT64_MAX);
}

/* However long the disk takes: each once, charged to who is to read them, behind the reply. */
static void test_events_behind_a_held_reply_merge(void **state)
{
	uint64_t before = domain_find(&srv->domains, 1)->used[QUOTA_MEMORY];

	t_setp(a, 0, "/local/domain/1", "n1 r0");
	assert_int_equal(t_watch(d1, "w", "tok"), 0);
	t_expect_event(d1, "w", "tok");
	hold_a_reply(d1);
	for (int i = 0; i < 1000; i++) {
		t_write(a, 0, "/local/domain/1/w/x", "1");
		t_setp(a, 0, "/local/domain/1/w/x", "n1");
	}
	assert_null(d1->held_first->next);
	assert_int_equal(d1->events.nr, 1);
	assert_true(domain_find(&srv->domains, 1)->used[QUOTA_MEMORY] > before);
	assert_null(t_next(d1));
	let_go();
	assert_int_equal(t_next(d1)->type, XS_WRITE);
	t_expect_event(d1, "w/x", "tok");
	t_expect_quiet(d1);
	assert_int_equal(d1->held_bytes, 0);
}

/* Nor does a client that asks on and on get more kept for it than without the disk. */
static void test_replies_behind_a_held_one_are_bounded(void **state)
{
	char bytes[64], value[2001];
	unsigned int nr = 0;

	memset(value, 'v', 2000);
	value[2000] = '\0';
	t_write(a, 0, "/big", value);
	hold_a_reply(b);
	xs_wire_put_hdr(bytes, XS_READ, 1, 0, 5);
	memcpy(bytes + XS_WIRE_HDR_LEN, "/big", 5);
	while (nr < 10000 && conn_input(b, bytes, XS_WIRE_HDR_LEN + 5, 1))
		nr++;
	assert_in_range(nr, 50, 150);
	assert_in_range(b->held_bytes, CONN_OUT_HIGH, CONN_OUT_HIGH + XS_WIRE_MSG_MAX);
	let_go();
	for (unsigned int i = 0; i <= nr; i++)
		assert_non_null(t_next(b));
	assert_null(t_next(b));
	assert_true(conn_may_start(b));
}

static void test_unwatch_takes_waiting_events_along(void **state)
{
	char path[64];

	t_watch(b, "/x", "tok");
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/x/%d", i);
		t_write(a, 0, path, "1");
	}
	assert_true(b->events.nr > 0);
	t_unwatch(b, "/x", "tok");
	assert_int_equal(b->events.nr, 0);
}

static void test_event_too_large_for_a_message_is_dropped(void **state)
{
	char path[3001], token[2000];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[3000] = '\0';
	memset(token, 't', sizeof(token));
	token[1999] = '\0';
	assert_int_equal(t_watch(b, "/", token), 0);
	assert_non_null(t_next(b));

	assert_int_equal(t_write(a, 0, path, "1"), 0);
	t_expect_quiet(b);
	t_write(a, 0, "/short", "1");
	t_expect_event(b, "/short", token);
}

static void test_watch_quota_is_E2BIG(void **state)
{
	char path[64];
	int err = 0;
	int i;

	for (i = 0; i < 200 && !err; i++) {
		snprintf(path, sizeof(path), "data/%d", i);
		err = t_watch(d1, path, "tok");
		while (t_next(d1))
			;
	}
	assert_int_equal(err, E2BIG);
	assert_int_equal(i, 129);
}

static void test_watches_go_with_their_client(void **state)
{
	t_watch(b, "/x", "tok");
	t_hang_up(b);

	assert_int_equal(t_write(a, 0, "/x", "1"), 0);
	assert_int_equal(srv->watches.nr_watches, 0);
	assert_int_equal(srv->watches.nr_paths, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_new_watch_fires_once_after_the_reply),
		T(test_own_event_comes_behind_the_reply),
		T(test_the_writer_is_served_before_its_watchers),
		T(test_changes_below_fire_with_their_own_path),
		T(test_same_value_fires_too),
		T(test_removal_above_fires_watches_below),
		T(test_duplicate_is_EEXIST_and_unknown_ENOENT),
		T(test_depth_limits_how_far_below),
		T(test_relative_watch_gets_relative_paths),
		T(test_no_event_for_what_the_watcher_may_not_read),
		T(test_special_watches_need_explicit_rights),
		T(test_guests_cannot_set_special_permissions),
		T(test_special_forms_for_one_domain),
		T(test_introduction_fires),
		T(test_waiting_events_merge),
		T(test_guest_that_never_reads_is_ignored_within_its_memory),
		T(test_events_behind_a_held_reply_merge),
		T(test_replies_behind_a_held_one_are_bounded),
		T(test_unwatch_takes_waiting_events_along),
		T(test_event_too_large_for_a_message_is_dropped),
		T(test_watch_quota_is_E2BIG),
		T(test_watches_go_with_their_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
