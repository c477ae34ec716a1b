/* SPDX-License-Identifier: MIT */
/*
 * test_session.c - what the store says became of a client's changes: CONTROL session, in the
 * daemon. Over kills of it: test_outcomes.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "harness.h"
#include "ops.h"
#include "session.h"

#define TOKEN "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"

static struct server *srv;
static struct conn *a, *b, *guest;
static char text[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	a = t_client(srv, 0);
	b = t_client(srv, 0);
	guest = t_client(srv, 1);
	t_mkdir(a, 0, "/local/domain/1");
	t_setp(a, 0, "/local/domain/1", "n1");
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static int take(struct conn *c, const char *token)
{
	return t_call(c, XS_CONTROL, text, "session", token, NULL);
}

/* One request with a number of the client's own. */
static int numbered(struct conn *c, uint32_t id, uint32_t type, uint32_t tx, const char *data,
		    uint32_t len)
{
	const struct xsd_sockmsg hdr = { type, id, tx, len };
	const struct t_msg *m;

	assert_true(ops_dispatch(c, &hdr, data));
	m = t_next(c);
	assert_non_null(m);
	assert_int_equal(m->req_id, id);
	return m->type == XS_ERROR ? xs_wire_error_code(m->data, m->len) : 0;
}

#define DO(c, id, type, tx, data) numbered(c, id, type, tx, data, sizeof(data))

/* The client is on a new connection, and the daemon has not noticed that the old one is gone. */
static struct conn *again(void)
{
	struct conn *c = t_client(srv, 0);

	assert_int_equal(take(c, TOKEN), 0);
	return c;
}

static void test_the_last_change_is_told(void **state)
{
	assert_int_equal(take(a, TOKEN), 0);
	assert_string_equal(text, "new");
	assert_int_equal(DO(a, 7, XS_WRITE, 0, "/s/x\0" "1"), 0);
	assert_int_equal(DO(a, 8, XS_READ, 0, "/s/x"), 0);
	assert_int_equal(DO(a, 9, XS_MKDIR, 0, "/s/y"), 0);
	again();
	assert_string_equal(text, "9 0");
}

static void test_what_changes_in_a_transaction_counts_at_its_end(void **state)
{
	uint32_t tx;

	assert_int_equal(take(a, TOKEN), 0);
	tx = t_begin(a);
	assert_int_equal(DO(a, 3, XS_WRITE, tx, "/s/x\0" "1"), 0);
	assert_int_equal(DO(a, 4, XS_TRANSACTION_END, tx, "T"), 0);
	tx = t_begin(a);
	assert_int_equal(DO(a, 5, XS_WRITE, tx, "/s/x\0" "2"), 0);
	assert_int_equal(DO(a, 6, XS_TRANSACTION_END, tx, "F"), 0);
	again();
	assert_string_equal(text, "4 0");
}

static void test_what_failed_is_told_with_its_error(void **state)
{
	uint32_t tx;

	assert_int_equal(take(a, TOKEN), 0);
	assert_int_equal(DO(a, 1, XS_WRITE, 0, "/s/x\0" "1"), 0);
	assert_int_equal(DO(a, 2, XS_RM, 0, "/none/at/all"), ENOENT);
	tx = t_begin(a);
	assert_int_equal(DO(a, 90, XS_READ, tx, "/s/x"), 0);
	assert_int_equal(t_write(b, 0, "/s/x", "2"), 0);
	assert_int_equal(DO(a, 3, XS_TRANSACTION_END, tx, "T"), EAGAIN);
	assert_int_equal(DO(a, 4, XS_WRITE, 0, "/s/x\0" "1"), 0);
	again();
	assert_string_equal(text, "4 0 2:ENOENT 3:EAGAIN");
}

static void test_only_the_latest_failures_are_remembered(void **state)
{
	unsigned long floor;

	assert_int_equal(take(a, TOKEN), 0);
	for (uint32_t id = 1; id <= SESSION_FAILED + 5; id++)
		assert_int_equal(DO(a, id, XS_RM, 0, "/none/at/all"), ENOENT);
	again();
	assert_int_equal(strtoul(strchr(text, ' '), NULL, 10), 5);
	assert_null(strstr(text, " 5:"));
	assert_non_null(strstr(text, " 6:ENOENT"));
	floor = strtoul(text, NULL, 10);
	assert_int_equal(floor, 0);
}

/* So that what the client asks about is decided once and for all. */
static void test_taking_it_up_ends_the_connection_before(void **state)
{
	assert_int_equal(take(a, TOKEN), 0);
	again();
	assert_true(a->dead);
	a = NULL;
	assert_int_equal(take(b, OTHER), 0);
	assert_string_equal(text, "new");
	assert_int_equal(take(b, TOKEN), EINVAL);
}

static void test_who_hangs_up_is_forgotten_and_who_is_dropped_is_not(void **state)
{
	assert_int_equal(take(a, TOKEN), 0);
	assert_int_equal(DO(a, 1, XS_WRITE, 0, "/s/x\0" "1"), 0);
	conn_kill(a);
	conns_reap(srv);
	a = again();
	assert_string_equal(text, "1 0");
	a->hung_up = true;
	conn_kill(a);
	conns_reap(srv);
	a = again();
	assert_string_equal(text, "new");
}

static void test_orphans_are_bounded_and_the_oldest_goes_first(void **state)
{
	char token[40];

	for (unsigned int i = 0; i < SESSION_ORPHANS + 10; i++) {
		struct conn *c = t_client(srv, 0);

		snprintf(token, sizeof(token), "%032x", i);
		assert_int_equal(take(c, token), 0);
		assert_int_equal(DO(c, 1, XS_WRITE, 0, "/s/x\0" "1"), 0);
		conn_kill(c);
		conns_reap(srv);
	}
	assert_int_equal(srv->wire.sessions.orphans.nr, SESSION_ORPHANS);
	snprintf(token, sizeof(token), "%032x", 9);
	assert_int_equal(take(a, token), 0);
	assert_string_equal(text, "new");
	snprintf(token, sizeof(token), "%032x", 10);
	assert_int_equal(take(b, token), 0);
	assert_string_equal(text, "1 0");
	assert_int_equal(srv->wire.sessions.orphans.nr, SESSION_ORPHANS - 1);
}

static void test_tokens_are_32_digits_of_sockets_of_domain_0(void **state)
{
	static const char *const bad[] = { "", "1", TOKEN "0", "00112233445566778899AABBCCDDEEFF",
					   "0011223344556677889 aabbccddeeff" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(take(a, bad[i]), EINVAL);
	assert_int_equal(take(guest, TOKEN), EACCES);
	a->read_only = true;
	assert_int_equal(take(a, TOKEN), EROFS);
}

static void test_a_record_is_read_as_it_was_written_or_refused(void **state)
{
	unsigned char record[SESSION_RECORD_MAX] = { 1, 2, 3 };
	const size_t len = SESSION_TOKEN_LEN + 10 + 5;

	record[SESSION_TOKEN_LEN] = 200;	/* last */
	record[SESSION_TOKEN_LEN + 4] = 7;	/* floor */
	record[SESSION_TOKEN_LEN + 8] = 1;	/* one failure */
	record[SESSION_TOKEN_LEN + 10] = 9;
	record[SESSION_TOKEN_LEN + 14] = ENOSPC;
	for (size_t n = 0; n < sizeof(record); n++) {
		if (n != len)
			assert_int_equal(session_restore(srv, 5, record, n), -EBADMSG);
	}
	assert_int_equal(session_restore(srv, 5, record, len), 0);
	assert_int_equal(take(a, "01020300000000000000000000000000"), 0);
	assert_string_equal(text, "200 7 9:ENOSPC");
}

/* What the disk refused of it may or may not be what the client asks about. */
static void test_after_a_refusal_nothing_is_claimed(void **state)
{
	assert_int_equal(take(a, TOKEN), 0);
	assert_int_equal(DO(a, 3, XS_WRITE, 0, "/s/x\0" "1"), 0);
	session_hold(a, 17);
	srv->durable.rev = 17;
	sessions_refused(srv, 18);
	again();
	assert_string_equal(text, "3 0");
	sessions_refused(srv, 17);
	again();
	assert_string_equal(text, "3 3");
	a = NULL;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_last_change_is_told),
		T(test_what_changes_in_a_transaction_counts_at_its_end),
		T(test_what_failed_is_told_with_its_error),
		T(test_only_the_latest_failures_are_remembered),
		T(test_taking_it_up_ends_the_connection_before),
		T(test_who_hangs_up_is_forgotten_and_who_is_dropped_is_not),
		T(test_orphans_are_bounded_and_the_oldest_goes_first),
		T(test_tokens_are_32_digits_of_sockets_of_domain_0),
		T(test_a_record_is_read_as_it_was_written_or_refused),
		T(test_after_a_refusal_nothing_is_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
