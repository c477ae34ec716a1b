/* SPDX-License-Identifier: MIT */
/*
 * test_bond.c - what a bond ends, and what not: CONTROL bind, unbind and bonds in the daemon, and
 * their records. With clients and time: lease.sh.
 */
#include <errno.h>

#include "bond.h"
#include "bytes.h"
#include "harness.h"
#include "session.h"

#define TOKEN "00112233445566778899aabbccddeeff"
#define DAY "86400000"

static struct server *srv;
static struct conn *a, *b;
static char out[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	a = t_client(srv, 0);
	b = t_client(srv, 0);
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

#define CONTROL(c, ...) t_call(c, XS_CONTROL, out, __VA_ARGS__, NULL)

#define ANSWERS(c, text, ...)                                                                      \
	do {                                                                                       \
		assert_int_equal(CONTROL(c, __VA_ARGS__), 0);                                      \
		assert_string_equal(out, text);                                                    \
	} while (0)

static bool there(const char *path)
{
	char value[XENSTORE_PAYLOAD_MAX + 1];

	return t_read(b, 0, path, value) == 0;
}

static void over(uint64_t session)
{
	bonds_session_over(srv, session);
	bonds_end_due(srv);
}

static void bind_to_a(const char *path, const char *value)
{
	assert_int_equal(CONTROL(a, "session", TOKEN), 0);
	assert_int_equal(CONTROL(a, "bind", path, value), 0);
}

static void test_what_was_held_goes(void **state)
{
	assert_int_equal(t_write(a, 0, "/t/q", "on"), 0);
	bind_to_a("/t/q", "on");
	assert_string_equal(out, "held");
	assert_int_equal(t_write(b, 0, "/t/q", "on"), 0);
	over(a->session->id);
	assert_false(there("/t/q"));
}

static void test_what_was_bound_first_and_then_written_goes(void **state)
{
	bind_to_a("/t/q", "on");
	assert_string_equal(out, "not held");
	assert_int_equal(t_write(a, 0, "/t/q", "on"), 0);
	over(a->session->id);
	assert_false(there("/t/q"));
}

static void test_the_same_value_after_another_one_stays(void **state)
{
	assert_int_equal(t_write(a, 0, "/t/q", "on"), 0);
	bind_to_a("/t/q", "on");
	assert_int_equal(t_write(b, 0, "/t/q", "off"), 0);
	assert_int_equal(t_write(b, 0, "/t/q", "on"), 0);
	over(a->session->id);
	assert_true(there("/t/q"));
}

static void test_the_same_value_of_a_new_node_stays(void **state)
{
	assert_int_equal(t_write(a, 0, "/t/q", "on"), 0);
	bind_to_a("/t/q", "on");
	assert_int_equal(t_rm(b, 0, "/t/q"), 0);
	assert_int_equal(t_write(b, 0, "/t/q", "on"), 0);
	over(a->session->id);
	assert_true(there("/t/q"));
}

static void test_a_new_value_each_time_needs_one_bond(void **state)
{
	char value[16];

	for (unsigned int i = 0; i <= BONDS_MAX; i++) {
		snprintf(value, sizeof(value), "%u", i);
		ANSWERS(a, "not held", "bind", "/t/load", value, DAY);
		assert_int_equal(t_write(a, 0, "/t/load", value), 0);
		ANSWERS(a, "held", "bind", "/t/load", value, DAY);
	}
	assert_int_equal(srv->bonds.nr, 1);
}

/* A line that no message has room for hides none of the others. */
static void test_all_bonds_are_listed(void **state)
{
	char path[3060], value[BOND_VALUE_MAX + 1];

	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	memset(value, 'v', BOND_VALUE_MAX);
	value[BOND_VALUE_MAX] = '\0';
	ANSWERS(a, "not held", "bind", "/t/first", "1", DAY);
	bind_to_a(path, value);
	ANSWERS(a, "not held", "bind", "/t/last", "1", DAY);
	assert_int_equal(CONTROL(a, "bonds"), 0);
	assert_non_null(strstr(out, " /t/last 1\n... 2 more lines (from 1)\n"));
	assert_int_equal(CONTROL(a, "bonds", "from", "1"), 0);
	assert_non_null(strstr(out, "vvv\n... 1 more lines (from 2)\n"));
	assert_int_equal(CONTROL(a, "bonds", "from", "2"), 0);
	assert_non_null(strstr(out, " /t/first 1\n"));
	assert_int_equal(CONTROL(a, "bonds", "from", "3"), 0);
	assert_string_equal(out, "");
}

static void test_who_waits_keeps_its_bond(void **state)
{
	ANSWERS(a, "not held", "bind", "/t/leader", "a", DAY);
	ANSWERS(b, "not held", "bind", "/t/leader", "b", DAY);
	assert_int_equal(t_write(a, 0, "/t/leader", "a"), 0);
	ANSWERS(a, "held", "bind", "/t/leader", "a", DAY);
	assert_int_equal(srv->bonds.nr, 2);
	/* who had it and waits again is one who waits */
	assert_int_equal(t_write(b, 0, "/t/leader", "b"), 0);
	ANSWERS(a, "not held", "bind", "/t/leader", "a", DAY);
	ANSWERS(b, "held", "bind", "/t/leader", "b", DAY);
	assert_int_equal(srv->bonds.nr, 2);
}

static void lose(struct conn *c)
{
	conn_kill(c);
	conns_reap(srv);
}

/* However many others have lost theirs: who comes back in time has what it held. */
static void test_a_lost_session_with_bonds_is_not_forgotten(void **state)
{
	char token[2 * SESSION_TOKEN_LEN + 1];

	assert_int_equal(t_write(a, 0, "/t/q", "on"), 0);
	bind_to_a("/t/q", "on");
	lose(a);
	for (unsigned int i = 0; i < SESSION_ORPHANS + 10; i++) {
		a = t_client(srv, 0);
		snprintf(token, sizeof(token), "%032x", i);
		ANSWERS(a, "new", "session", token);
		lose(a);
	}
	assert_int_equal(srv->wire.sessions.orphans.nr, SESSION_ORPHANS);
	bonds_end_due(srv);
	assert_true(there("/t/q"));
	a = t_client(srv, 0);
	ANSWERS(a, "0 0", "session", TOKEN);
	over(a->session->id);
	assert_false(there("/t/q"));
}

static void test_a_path_is_named_alike_by_both(void **state)
{
	ANSWERS(a, "not held", "bind", "t/q", "on", DAY);
	assert_int_equal(srv->bonds.nr, 1);
	assert_int_equal(CONTROL(a, "unbind", "t/q", "on"), 0);
	assert_int_equal(srv->bonds.nr, 0);
	assert_int_equal(CONTROL(a, "unbind", "/t/q", "on"), ENOENT);
	assert_int_equal(CONTROL(a, "unbind", "/t//q", "on"), EINVAL);
}

static void test_what_is_held_can_be_left_alone(void **state)
{
	ANSWERS(a, "not held", "bind", "/t/q", "on", DAY);
	assert_int_equal(t_write(a, 0, "/t/q", "on"), 0);
	assert_int_equal(CONTROL(a, "unbind", "/t/q", "on", "unless-held"), EBUSY);
	assert_int_equal(CONTROL(a, "unbind", "/t/q", "on", "unless"), EINVAL);
	assert_int_equal(t_write(a, 0, "/t/q", "off"), 0);
	assert_int_equal(CONTROL(a, "unbind", "/t/q", "on", "unless-held"), 0);
	assert_int_equal(srv->bonds.nr, 0);
}

/* --- what an earlier daemon wrote down --- */

#define PATH "/t/q"
#define FIXED 14

/* As long as it has to be for a @gen of 0, which is also how the first daemons with bonds wrote. */
static int restore(uint64_t session, uint32_t ttl_ms, uint64_t gen)
{
	unsigned char rec[64], *p = rec + FIXED;

	put_le64(rec, session);
	put_le32(rec + 8, ttl_ms);
	put_le16(rec + 12, (uint16_t)(strlen(PATH) | (gen ? 0x8000u : 0)));
	if (gen) {
		put_le64(p, gen);
		p += 8;
	}
	memcpy(p, PATH "on", sizeof(PATH "on") - 1);
	return bond_restore(srv, 1, rec, (size_t)(p - rec) + sizeof(PATH "on") - 1);
}

static void test_one_without_a_generation_is_to_the_value(void **state)
{
	assert_int_equal(restore(9, 0, 0), 0);
	assert_int_equal(t_write(b, 0, PATH, "on"), 0);
	over(9);
	assert_false(there(PATH));
}

static void test_one_with_a_generation_is_to_that(void **state)
{
	assert_int_equal(t_write(b, 0, PATH, "on"), 0);
	assert_int_equal(restore(9, 0, srv->tree.rev), 0);
	assert_int_equal(t_write(b, 0, PATH, "off"), 0);
	assert_int_equal(t_write(b, 0, PATH, "on"), 0);
	over(9);
	assert_true(there(PATH));
	assert_int_equal(restore(9, 0, srv->tree.rev), 0);
	over(9);
	assert_false(there(PATH));
}

static void test_a_session_whose_record_is_lost_is_nobody_elses(void **state)
{
	assert_int_equal(restore(9, 0, 0), 0);
	assert_int_equal(CONTROL(a, "session", TOKEN), 0);
	assert_true(a->session->id > 9);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_was_held_goes),
		T(test_what_was_bound_first_and_then_written_goes),
		T(test_the_same_value_after_another_one_stays),
		T(test_the_same_value_of_a_new_node_stays),
		T(test_a_new_value_each_time_needs_one_bond),
		T(test_all_bonds_are_listed),
		T(test_who_waits_keeps_its_bond),
		T(test_a_lost_session_with_bonds_is_not_forgotten),
		T(test_a_path_is_named_alike_by_both),
		T(test_what_is_held_can_be_left_alone),
		T(test_one_without_a_generation_is_to_the_value),
		T(test_one_with_a_generation_is_to_that),
		T(test_a_session_whose_record_is_lost_is_nobody_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
