/* SPDX-License-Identifier: MIT */
/*
 * test_confine.c - what a connection of domain 0 can still do once it is confined, asked as a
 * process would that somebody took over. Every operation of the protocol, inside and outside.
 */
#include <errno.h>
#include <stdlib.h>

#include "confine.h"
#include "harness.h"
#include "ops.h"

#define OWN "/local/domain/0/backend/vbd/1/768"
#define FRONT "/local/domain/1/device/vbd/768"
#define OTHER "/local/domain/0/backend/vbd/2/768"
#define ROOTS "/config/domain/victim"

static struct server *srv;
static struct conn *host, *taken;
static char text[XENSTORE_PAYLOAD_MAX + 1];

#define CONFINE(conn, ...) t_call(conn, XS_CONTROL, text, "confine", __VA_ARGS__, NULL)

static int setup(void **state)
{
	static const char *const made[] = {
		OWN "/params", OWN "/state", FRONT "/state", FRONT "/ring-ref", OTHER "/state",
		OTHER "/params", ROOTS "/kernel", "/tool/secret", OWN "9/state",
	};

	srv = t_start();
	host = t_client(srv, 0);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		assert_int_equal(t_write(host, 0, made[i], "1"), 0);
	taken = t_client(srv, 0);
	assert_int_equal(CONFINE(taken, "r" OWN, "r" FRONT, "w" OWN "/state", "w" OWN "/error",
				 "w" OWN "/deep/key"),
			 0);
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static void test_it_reads_its_directories_and_writes_its_keys(void **state)
{
	assert_int_equal(t_read(taken, 0, OWN "/params", text), 0);
	assert_int_equal(t_read(taken, 0, FRONT "/ring-ref", text), 0);
	assert_int_equal(t_ls(taken, 0, OWN, text), 0);
	assert_string_equal(text, "params state");
	assert_int_equal(t_write(taken, 0, OWN "/state", "2"), 0);
	assert_int_equal(t_write(taken, 0, OWN "/error", "made"), 0);
	assert_int_equal(t_read(host, 0, OWN "/error", text), 0);
	assert_string_equal(text, "made");
	assert_int_equal(t_read(taken, 0, OWN "/nothing", text), ENOENT);
}

static void test_it_reads_nothing_else(void **state)
{
	static const char *const paths[] = {
		"/", "/tool", "/tool/secret", "/local", "/local/domain/0/backend/vbd/1", OTHER,
		OTHER "/params", "/local/domain/1", "/local/domain/1/device", ROOTS,
		ROOTS "/kernel", "/nothing/at/all", OWN "9", OWN "9/state", "/status", "/request",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(t_read(taken, 0, paths[i], text), EACCES);
		assert_int_equal(t_ls(taken, 0, paths[i], text), EACCES);
		assert_int_equal(t_call(taken, XS_DIRECTORY_PART, text, paths[i], "0", NULL),
				 EACCES);
		assert_int_equal(t_watch(taken, paths[i], "t"), EACCES);
	}
}

static void test_it_writes_nothing_else(void **state)
{
	static const char *const paths[] = {
		ROOTS "/kernel", ROOTS "/new", "/request/1/op", OTHER "/state", OTHER "/params",
		OWN, OWN "/params", OWN "/script", OWN "/frontend", OWN "/state/below", FRONT,
		FRONT "/state", "/local/domain/0/backend/vbd/1/769/params", OWN "9/state", "/",
	};
	char before[XENSTORE_PAYLOAD_MAX + 1];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int there = t_read(host, 0, paths[i], before);

		assert_int_equal(t_write(taken, 0, paths[i], "taken"), EACCES);
		assert_int_equal(t_mkdir(taken, 0, paths[i]), EACCES);
		assert_int_equal(t_rm(taken, 0, paths[i]), EACCES);
		assert_int_equal(t_setp(taken, 0, paths[i], "b0"), EACCES);
		assert_int_equal(t_read(host, 0, paths[i], text), there);
		if (there == 0)
			assert_string_equal(text, before);
	}
	/* Its own nodes' permissions and lives are not its, either. */
	assert_int_equal(t_setp(taken, 0, OWN "/state", "b0"), EACCES);
	assert_int_equal(t_rm(taken, 0, OWN "/state"), EACCES);
}

static void test_a_transaction_gives_no_more(void **state)
{
	uint32_t t = t_begin(taken);

	assert_int_equal(t_read(taken, t, ROOTS "/kernel", text), EACCES);
	assert_int_equal(t_write(taken, t, ROOTS "/kernel", "taken"), EACCES);
	assert_int_equal(t_write(taken, t, OWN "/params", "taken"), EACCES);
	assert_int_equal(t_rm(taken, t, OTHER), EACCES);
	assert_int_equal(t_write(taken, t, OWN "/state", "3"), 0);
	assert_int_equal(t_end(taken, t, true), 0);
	assert_int_equal(t_read(host, 0, OWN "/state", text), 0);
	assert_string_equal(text, "3");
	assert_int_equal(t_read(host, 0, ROOTS "/kernel", text), 0);
	assert_string_equal(text, "1");
}

/* Of all operations there are, seven are left; CONTROL is none of them. */
static void test_every_other_operation_is_refused(void **state)
{
	static const uint32_t left[] = { XS_DIRECTORY, XS_READ, XS_WATCH, XS_UNWATCH, XS_WRITE,
					 XS_TRANSACTION_START, XS_TRANSACTION_END };
	static const char args[] = "1\0" "1\0" "1\0";

	for (uint32_t op = 0; op < XS_WIRE_OP_NR; op++) {
		bool is_left = false;

		for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
			is_left |= op == left[i];
		if (!ops_table[op].handler || is_left)
			continue;
		assert_int_equal(t_req(taken, op, 0, args, sizeof(args) - 1)->type, XS_ERROR);
	}
	assert_int_equal(t_call(taken, XS_CONTROL, text, "print", "/", NULL), EACCES);
	assert_int_equal(t_call(taken, XS_CONTROL, text, "dump", OWN, NULL), EACCES);
	assert_int_equal(t_call(taken, XS_CONTROL, text, "feed", "/", NULL), EACCES);
	assert_int_equal(t_call(taken, XS_INTRODUCE, text, "3", "1", "1", NULL), EACCES);
	assert_int_equal(t_call(taken, XS_RELEASE, text, "1", NULL), EACCES);
	assert_int_equal(t_call(taken, XS_IS_DOMAIN_INTRODUCED, text, "1", NULL), EACCES);
}

static void test_nothing_takes_it_back(void **state)
{
	assert_int_equal(CONFINE(taken, "w/"), EACCES);
	assert_int_equal(CONFINE(taken, "r/"), EACCES);
	assert_int_equal(t_read(taken, 0, "/tool/secret", text), EACCES);
}

static void test_events_come_from_its_directories_only(void **state)
{
	assert_int_equal(t_watch(taken, OWN, "own"), 0);
	t_expect_event(taken, OWN, "own");
	assert_int_equal(t_watch(taken, FRONT "/state", "front"), 0);
	t_expect_event(taken, FRONT "/state", "front");
	assert_int_equal(t_watch(taken, "@releaseDomain", "r"), EACCES);
	assert_int_equal(t_watch(taken, "@introduceDomain", "i"), EACCES);
	assert_int_equal(t_write(host, 0, OTHER "/state", "4"), 0);
	assert_int_equal(t_write(host, 0, ROOTS "/kernel", "5"), 0);
	t_expect_quiet(taken);
	assert_int_equal(t_write(host, 0, FRONT "/state", "4"), 0);
	t_expect_event(taken, FRONT "/state", "front");
	assert_int_equal(t_unwatch(taken, OWN, "own"), 0);
}

/* What was asked for with all rights would go on having them. */
static void test_only_a_new_connection_is_confined(void **state)
{
	struct conn *c = t_client(srv, 0), *guest = t_client(srv, 5);

	assert_int_equal(t_watch(c, "/", "all"), 0);
	t_expect_event(c, "/", "all");
	assert_int_equal(CONFINE(c, "r" OWN), EINVAL);
	assert_int_equal(t_read(c, 0, "/tool/secret", text), 0);
	assert_int_equal(CONFINE(guest, "r" OWN), EACCES);
	t_hang_up(c);
}

static void test_a_malformed_rule_confines_nobody(void **state)
{
	static const char *const bad[] = { "", "r", "x/a", "/a", "rrelative", "r/a//b", "w/a b",
					   "r@releaseDomain" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct conn *c = t_client(srv, 0);

		assert_int_equal(CONFINE(c, "r" OWN, bad[i]), EINVAL);
		assert_int_equal(t_read(c, 0, "/tool/secret", text), 0);
		t_hang_up(c);
	}
}

/* A device that was taken out of the store is not brought back by who served it. */
static void test_a_removed_directory_stays_removed(void **state)
{
	uint32_t t = t_begin(taken);

	assert_int_equal(t_write(taken, 0, OWN "/deep/key", "1"), ENOENT);
	assert_int_equal(t_write(taken, t, OWN "/state", "6"), 0);
	assert_int_equal(t_rm(host, 0, OWN), 0);
	assert_int_equal(t_end(taken, t, true), EAGAIN);
	assert_int_equal(t_write(taken, 0, OWN "/state", "6"), ENOENT);
	t = t_begin(taken);
	assert_int_equal(t_write(taken, t, OWN "/state", "6"), ENOENT);
	assert_int_equal(t_end(taken, t, true), 0);
	assert_int_equal(t_read(host, 0, OWN, text), ENOENT);
}

static void test_it_holds_a_bounded_part_of_the_daemon(void **state)
{
	uint32_t first = t_begin(taken);
	unsigned int n = 1;
	char token[16];

	assert_int_not_equal(first, 0);
	while (t_call(taken, XS_TRANSACTION_START, text, "", NULL) == 0)
		assert_in_range(++n, 1, 100);
	for (n = 0; snprintf(token, sizeof(token), "%u", n), t_watch(taken, OWN, token) == 0; n++) {
		t_expect_event(taken, OWN, token);
		assert_in_range(n, 0, 100);
	}
}

/* A transaction remembers what it has asked for, also nodes that are not there. */
static void test_its_transactions_remember_a_bounded_number_of_nodes(void **state)
{
	uint32_t t = t_begin(taken);
	char path[100];
	unsigned int n = 0;
	int ret;

	do {
		snprintf(path, sizeof(path), OWN "/%u", n);
		ret = t_read(taken, t, path, text);
	} while (ret == ENOENT && ++n < 10000);
	assert_int_equal(ret, ENOSPC);
	assert_in_range(n, 100, 1000);
	/* What it has seen it may go on with, and others are as free as before. */
	assert_int_equal(t_read(taken, t, OWN "/0", text), ENOENT);
	assert_int_equal(t_end(taken, t, true), 0);
	t = t_begin(host);
	for (n = 0; n < 1000; n++) {
		snprintf(path, sizeof(path), OWN "/%u", n);
		assert_int_equal(t_read(host, t, path, text), ENOENT);
	}
	assert_int_equal(t_end(host, t, true), 0);
}

/* Its guest writes, it does not read: both may be the same attacker's. */
static void test_it_lets_a_bounded_number_of_events_wait(void **state)
{
	char token[16], path[2000];
	size_t most = 0;

	for (unsigned int n = 0; n < CONFINE_WATCHES; n++) {
		snprintf(token, sizeof(token), "%u", n);
		assert_int_equal(t_watch(taken, FRONT, token), 0);
	}
	for (unsigned int n = 0; !taken->dead && most < 32u << 20; n++) {
		snprintf(path, sizeof(path), FRONT "/%01900u", n);
		assert_int_equal(t_write(host, 0, path, ""), 0);
		assert_int_equal(t_rm(host, 0, path), 0);
		if (taken->events.bytes > most)
			most = taken->events.bytes;
	}
	assert_true(taken->dead);
	assert_in_range(most, 256u << 10, 8u << 20);
	conns_reap(srv);
}

/* It asks and does not read: further requests wait where they are. */
static void test_its_answers_wait_in_bounded_memory(void **state)
{
	static const char payload[] = OWN "/params";
	const struct xsd_sockmsg hdr = { XS_READ, 77, 0, sizeof(payload) };
	char bytes[sizeof(hdr) + sizeof(payload)];

	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), payload, sizeof(payload));
	while (conn_may_start(taken))
		assert_int_equal(conn_input(taken, bytes, sizeof(bytes), 1), sizeof(bytes));
	assert_int_equal(conn_input(taken, bytes, sizeof(bytes), 1), 0);
	assert_in_range(conn_waiting(taken), 16u << 10, 36u << 10);
	while (t_next(taken))
		;
	assert_int_equal(conn_input(taken, bytes, sizeof(bytes), 1), sizeof(bytes));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_it_reads_its_directories_and_writes_its_keys),
		TEST(test_it_reads_nothing_else),
		TEST(test_it_writes_nothing_else),
		TEST(test_a_transaction_gives_no_more),
		TEST(test_every_other_operation_is_refused),
		TEST(test_nothing_takes_it_back),
		TEST(test_events_come_from_its_directories_only),
		TEST(test_only_a_new_connection_is_confined),
		TEST(test_a_malformed_rule_confines_nobody),
		TEST(test_a_removed_directory_stays_removed),
		TEST(test_it_holds_a_bounded_part_of_the_daemon),
		TEST(test_it_lets_a_bounded_number_of_events_wait),
		TEST(test_its_answers_wait_in_bounded_memory),
		TEST(test_its_transactions_remember_a_bounded_number_of_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
