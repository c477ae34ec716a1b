/* SPDX-License-Identifier: MIT */
/* test_bulk.c - CONTROL dump and feed: a subtree in one answer, every change as it happens. */
#include <errno.h>

#include "harness.h"
#include "xs_bulk.h"

static struct server *srv;
static struct conn *a, *b, *d1;

static int setup(void **state)
{
	srv = t_start();
	a = t_client(srv, 0);
	b = t_client(srv, 0);
	d1 = t_client(srv, 1);
	t_mkdir(a, 0, "/local/domain/1");
	t_setp(a, 0, "/local/domain/1", "n1");
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

/* Sends a CONTROL request and does not wait: the stream is read by stream_line(). */
static void control(struct conn *c, uint32_t req_id, const char *text, size_t len)
{
	struct xsd_sockmsg hdr = { XS_CONTROL, req_id, 0, (uint32_t)len };
	char bytes[256];

	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), text, len);
	conn_input(c, bytes, sizeof(hdr) + len, 1);
}

/* The next parts of the stream as text, a word for each record; "|" is its end. */
static char *stream_text(struct conn *c)
{
	static const char *const kinds[] = { "node", "begin", "put", "del", "perms" };
	static char bytes[1024 * 1024], text[65536];
	size_t len = 0, at = 0, out = 0;
	const struct t_msg *m;
	bool end = false;

	while (!end && (m = t_next(c))) {
		assert_int_equal(m->type, XS_CONTROL);
		assert_int_equal(m->req_id, 77);
		memcpy(bytes + len, m->data, m->len);
		len += m->len;
		end = m->len == 0;
	}
	text[0] = '\0';
	while (at < len) {
		struct xs_bulk r;
		const char *p = bytes + at + sizeof(r);

		memcpy(&r, bytes + at, sizeof(r));
		assert_true(r.len <= len - at && r.kind < 5);
		if (r.kind != XS_BULK_BEGIN)
			out += (size_t)snprintf(text + out, sizeof(text) - out,
				"%s%s %.*s=%.*s<%.*s %s d%d", out ? "; " : "", kinds[r.kind],
				r.name_len, p, r.value_len, p + r.name_len, r.prev_len,
				p + r.name_len + r.value_len, r.perms_len ?
				p + r.name_len + r.value_len + r.prev_len : "-",
				r.kind == XS_BULK_NODE ? r.depth : (int16_t)r.domid);
		at += r.len;
	}
	snprintf(text + out, sizeof(text) - out, "%s", end ? "|" : "");
	return text;
}

static void test_dump_is_the_subtree_parents_first(void **state)
{
	t_write(a, 0, "/t/x", "1");
	t_write(a, 0, "/t/y/z", "2");
	t_setp(a, 0, "/t/y/z", "n0 r1");

	control(b, 77, "dump\0/t", 8);

	assert_string_equal(stream_text(b), "node /t=< n0 d0; node x=1< - d1; node y=< - d1; "
					    "node z=2< n0 d2|");
}

static void test_dump_goes_no_deeper_than_asked(void **state)
{
	t_write(a, 0, "/t/y/z", "2");
	t_write(a, 0, "/t/w", "3");

	control(b, 77, "dump\0/t\0" "1", 10);

	assert_string_equal(stream_text(b), "node /t=< n0 d0; node y=< - d1; node w=3< - d1|");
}

static void test_dump_of_many_nodes_comes_in_many_messages(void **state)
{
	char path[64];
	char *text;
	unsigned int nr = 1;

	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/t/a-name-of-some-length-%d", i);
		t_write(a, 0, path, "value");
	}
	control(b, 77, "dump\0/t", 8);

	text = stream_text(b);
	for (char *p = text; (p = strstr(p, "; ")); p++)
		nr++;
	assert_int_equal(nr, 501);
	assert_string_equal(text + strlen(text) - 1, "|");
}

/* Requests of one client that wait already are carried out many in a row, but not such ones. */
static void test_after_a_long_dump_others_have_their_turn(void **state)
{
	static const char *const tops[] = { "dump\0/t", "dump\0/s" };
	size_t message = sizeof(struct xsd_sockmsg) + 8;
	char path[64], bytes[256];

	for (int i = 0; i < 1500; i++) {
		snprintf(path, sizeof(path), "/t/%d", i);
		t_write(a, 0, path, "");
	}
	t_write(a, 0, "/s", "");
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < 3; j++) {
			const struct xsd_sockmsg hdr = { XS_CONTROL, 77, 0, 8 };

			memcpy(bytes + j * message, &hdr, sizeof(hdr));
			memcpy(bytes + j * message + sizeof(hdr), tops[i], 8);
		}
		assert_int_equal(conn_input(b, bytes, 3 * message, 256), i ? 3 * message : message);
		while (t_next(b))
			;
	}
}

static void test_dump_of_nothing_is_ENOENT_and_a_guest_is_refused(void **state)
{
	char out[64];

	assert_int_equal(t_call(a, XS_CONTROL, out, "dump", "/nothing", NULL), ENOENT);
	assert_int_equal(t_call(a, XS_CONTROL, out, "dump", "//", NULL), ENOENT);
	assert_int_equal(t_call(a, XS_CONTROL, out, "dump", "/", "x", NULL), EINVAL);
	assert_int_equal(t_call(d1, XS_CONTROL, out, "dump", "/", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_CONTROL, out, "feed", "/", NULL), EACCES);
	assert_int_equal(t_call(a, XS_CONTROL, out, "feed", "bad path", NULL), EINVAL);
}

static void test_feed_tells_each_change_with_both_values_and_who(void **state)
{
	control(b, 77, "feed\0/local", 12);
	assert_string_equal(stream_text(b), "");

	t_write(d1, 0, "/local/domain/1/k", "1");
	t_write(a, 0, "/local/domain/1/k", "22");
	t_write(a, 0, "/elsewhere", "x");
	t_setp(a, 0, "/local/domain/1/k", "n1 r0");
	t_rm(a, 0, "/local/domain/1/k");

	assert_string_equal(stream_text(b),
			    "put /local/domain/1/k=1< n1 d1; put /local/domain/1/k=22<1 n1 d0; "
			    "perms /local/domain/1/k=22< n1 d0; del /local/domain/1/k=<22 - d0");
}

static void test_feed_tells_nodes_made_on_the_way_and_all_that_go(void **state)
{
	control(b, 77, "feed\0/t", 8);
	t_write(a, 0, "/t/x/y", "1");
	assert_string_equal(stream_text(b),
			    "put /t=< n0 d0; put /t/x=< n0 d0; put /t/x/y=1< n0 d0");

	t_rm(a, 0, "/t");

	assert_string_equal(stream_text(b), "del /t=< - d0; del /t/x=< - d0; del /t/x/y=<1 - d0");
}

static void test_feed_tells_a_transaction_at_its_end_only(void **state)
{
	uint32_t t = t_begin(a), t2;

	control(b, 77, "feed\0/t", 8);
	t_write(a, t, "/t/x", "1");
	assert_string_equal(stream_text(b), "");
	t_end(a, t, true);
	assert_string_equal(stream_text(b), "put /t=< n0 d0; put /t/x=1< n0 d0");

	t2 = t_begin(a);
	t_write(a, t2, "/t/x", "2");
	t_end(a, t2, false);
	assert_string_equal(stream_text(b), "");
}

static void test_feed_tells_what_goes_with_a_domain(void **state)
{
	t_write(d1, 0, "/local/domain/1/k", "1");
	control(b, 77, "feed\0/local/domain/1", 21);
	stream_text(b);

	t_rm(a, 0, "/local/domain/1");
	assert_string_equal(stream_text(b),
			    "del /local/domain/1=< - d0; del /local/domain/1/k=<1 - d0");
}

static void test_changes_count_on_so_that_a_dump_says_which_it_has(void **state)
{
	struct xs_bulk first, second, change;

	control(b, 77, "feed\0/t", 8);
	memcpy(&first, t_next(b)->data, sizeof(first));
	t_write(a, 0, "/t", "1");
	memcpy(&change, t_next(b)->data, sizeof(change));
	control(b, 77, "dump\0/t", 8);
	memcpy(&second, t_next(b)->data, sizeof(second));

	assert_int_equal(first.kind, XS_BULK_BEGIN);
	assert_int_equal(second.kind, XS_BULK_BEGIN);
	assert_int_equal(change.seq, first.seq + 1);
	assert_int_equal(second.seq, change.seq);
	t_next(b);
}

static void test_subscriber_that_does_not_read_is_ended_and_costs_no_more(void **state)
{
	char value[2048];
	size_t most = 0;
	const struct t_msg *m;
	bool end = false;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	control(b, 77, "feed\0/t", 8);
	for (int i = 0; i < 4000; i++) {
		t_write(a, 0, "/t", value);
		if (buf_len(&b->out) > most)
			most = buf_len(&b->out);
	}

	assert_true(most < 5 * 1024 * 1024);
	assert_null(srv->ops.feeds);
	while ((m = t_next(b)))
		end = m->len == 0;
	assert_true(end);
}

static void test_subscription_ends_with_its_connection(void **state)
{
	control(b, 77, "feed\0/t", 8);
	assert_non_null(srv->ops.feeds);

	t_hang_up(b);

	assert_null(srv->ops.feeds);
	t_write(a, 0, "/t", "1");
}

static void test_generations_of_a_later_daemon_are_larger(void **state)
{
	uint64_t before = srv->tree.rev;

	t_stop(srv);
	srv = t_start();
	a = t_client(srv, 0);

	assert_true(srv->tree.rev > before);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_dump_is_the_subtree_parents_first),
		T(test_dump_goes_no_deeper_than_asked),
		T(test_dump_of_many_nodes_comes_in_many_messages),
		T(test_after_a_long_dump_others_have_their_turn),
		T(test_dump_of_nothing_is_ENOENT_and_a_guest_is_refused),
		T(test_feed_tells_each_change_with_both_values_and_who),
		T(test_feed_tells_nodes_made_on_the_way_and_all_that_go),
		T(test_feed_tells_a_transaction_at_its_end_only),
		T(test_feed_tells_what_goes_with_a_domain),
		T(test_changes_count_on_so_that_a_dump_says_which_it_has),
		T(test_subscriber_that_does_not_read_is_ended_and_costs_no_more),
		T(test_subscription_ends_with_its_connection),
		T(test_generations_of_a_later_daemon_are_larger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
