/* SPDX-License-Identifier: MIT */
/*
 * test_refused.c - a transaction in both parts of the store, and a disk that refuses it. Claims:
 * it comes true whole or not at all, in memory, for other clients and after kill -9; who asks for
 * what it changed waits for the disk's answer, everybody else is served meanwhile.
 *
 * argv[1]: the daemon built with the fake machine. The keeper is stopped and continued by signals,
 * so that nothing depends on who is faster.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

static int fd, other;
static char out[XENSTORE_PAYLOAD_MAX + 1];

#define REQ(type, text) live_request(fd, type, text, sizeof(text), out)

static void write_text(uint32_t tx, const char *path, const char *value)
{
	char data[200];
	size_t len = strlen(path) + 1;

	memcpy(data, path, len);
	memcpy(data + len, value, strlen(value));
	assert_true(live_send(fd, XS_WRITE, tx, data, (uint32_t)(len + strlen(value))));
	assert_int_equal(live_await(fd, NULL), 0);
}

static void expect(int from, uint32_t type, const char *path, const char *what)
{
	uint32_t len;

	assert_true(live_send(from, type, 0, path, (uint32_t)strlen(path) + 1));
	assert_int_equal(live_await_len(from, out, &len), 0);
	for (uint32_t i = 0; type != XS_READ && i + 1 < len; i++) {
		if (out[i] == '\0')
			out[i] = ' ';
	}
	assert_string_equal(out, what);
}

static void expect_none(const char *path)
{
	assert_int_equal(live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, NULL), ENOENT);
}

/* /run as it is before each transaction. */
static void make_run(void)
{
	write_text(0, "/run/w", "old");
	write_text(0, "/run/p", "p");
	write_text(0, "/run/tree/a/b", "1");
	write_text(0, "/run/tree/c", "2");
	write_text(0, "/run/made-again/x", "3");
	write_text(0, "/run/last", "4");
	write_text(0, "/run/owned/x", "5");
	assert_int_equal(REQ(XS_SET_PERMS, "/run/owned\0n7"), 0);
	assert_int_equal(REQ(XS_SET_PERMS, "/run/p\0n0\0r7"), 0);
}

static void run_is_old(bool domain_gone)
{
	expect(fd, XS_READ, "/run/w", "old");
	expect(fd, XS_READ, "/run/p", "p");
	expect(fd, XS_GET_PERMS, "/run/p", domain_gone ? "n0" : "n0 r7");
	expect(fd, XS_DIRECTORY, "/run", domain_gone ? "w p tree made-again last" :
						       "w p tree made-again last owned");
	expect(fd, XS_DIRECTORY, "/run/tree", "a c");
	expect(fd, XS_READ, "/run/tree/a/b", "1");
	expect(fd, XS_DIRECTORY, "/run/made-again", "x");
	expect(fd, XS_READ, "/run/made-again/x", "3");
	expect_none("/run/new");
	expect_none("/config/refused");
	expect(fd, XS_CONTROL, "check", "OK");
}

static void run_is_new(void)
{
	expect(fd, XS_READ, "/run/w", "new");
	expect(fd, XS_DIRECTORY, "/run", "w p last made-again new");
	expect(fd, XS_READ, "/run/made-again/y", "6");
	expect(fd, XS_CONTROL, "check", "OK");
}

static unsigned long commits(void)
{
	const char *at;

	assert_int_equal(live_request(other, XS_CONTROL, "metrics", 8, out), 0);
	at = strstr(out, "commits_total ");
	assert_non_null(at);
	return strtoul(at + 14, NULL, 10);
}

/* Every kind of change to /run, and /config/refused of @len bytes; the end is only sent. */
static void send_transaction(size_t len)
{
	unsigned long before = commits();
	char data[4000] = "/config/refused";
	uint32_t tx;

	assert_int_equal(REQ(XS_TRANSACTION_START, ""), 0);
	tx = (uint32_t)strtoul(out, NULL, 10);
	write_text(tx, "/run/w", "new");
	assert_true(live_send(fd, XS_SET_PERMS, tx, "/run/p\0n0", 10));
	assert_int_equal(live_await(fd, NULL), 0);
	for (const char *p = "/run/tree\0/run/made-again\0/run/owned\0"; *p; p += strlen(p) + 1) {
		assert_true(live_send(fd, XS_RM, tx, p, (uint32_t)strlen(p) + 1));
		assert_int_equal(live_await(fd, NULL), 0);
	}
	write_text(tx, "/run/made-again/y", "6");
	write_text(tx, "/run/new/x/y", "7");
	memset(data + 16, 'x', len);
	assert_true(live_send(fd, XS_WRITE, tx, data, (uint32_t)len + 16));
	assert_int_equal(live_await(fd, NULL), 0);
	assert_true(live_send(fd, XS_TRANSACTION_END, tx, "T", 2));
	while (commits() == before)
		usleep(100);
}

/* The persistent part takes no value of a page any more. */
static void fill_disk(void)
{
	unsigned int refused = 0;
	char data[3900];

	/* What one refusal leaves free for the next attempt may take it. */
	for (unsigned int i = 0; refused < 5; i++) {
		int len = snprintf(data, 64, "/config/big/%u", i) + 1;

		memset(data + len, 'x', 3000);
		if (live_request(fd, XS_WRITE, data, (uint32_t)len + 3000, NULL) == ENOSPC)
			refused++;
	}
}

static int setup(void **state)
{
	if (live_make() < 0)
		return -1;
	live.extra_arg = "--map-size=256";
	fake_domain(live.hv, 7, FAKE_EXISTS);
	live_start();
	fd = live_open();
	other = live_open();
	make_run();
	/* On the disk, and with it all that the start has made. */
	assert_int_equal(live_write_number(fd, "/config/begun", 1), 0);
	return 0;
}

static int teardown(void **state)
{
	close(fd);
	close(other);
	return live_remove();
}

static void restart(void)
{
	close(fd);
	close(other);
	live_end();
	live_start();
	fd = live_open();
	other = live_open();
}

static void test_refused_transaction_is_undone_whole(void **state)
{
	fill_disk();
	send_transaction(3000);
	assert_int_equal(live_await(fd, NULL), ENOSPC);
	run_is_old(false);
	restart();
	run_is_old(false);
}

/* Asks on @other before the disk has answered, and takes the answer to that. */
static void ask_early(pid_t keeper, const char *path, bool domain_ends, int end)
{
	struct pollfd pfd = { .fd = other, .events = POLLIN };

	assert_true(live_send(other, XS_READ, 0, path, (uint32_t)strlen(path) + 1));
	/* However long this is, an answer in it is wrong. */
	assert_int_equal(poll(&pfd, 1, 50), 0);
	if (domain_ends) {
		int third = live_open();

		fake_domain(live.hv, 7, 0);
		fake_event(live.hv, FAKE_DOM_EXC);
		do
			assert_int_equal(live_request(third, XS_CONTROL, "metrics", 8, out), 0);
		while (!strstr(out, "domains 1\n"));
		close(third);
	}
	kill(keeper, SIGCONT);
	assert_int_equal(live_await(fd, NULL), end);
	assert_int_equal(live_await(other, out), 0);
}

static void test_nobody_sees_what_the_disk_may_still_refuse(void **state)
{
	pid_t keeper;

	fill_disk();
	keeper = live_keeper();
	kill(keeper, SIGSTOP);
	send_transaction(3000);
	/* What the transaction has not touched is served. */
	expect(other, XS_READ, "/run/last", "4");
	ask_early(keeper, "/run/w", false, ENOSPC);
	assert_string_equal(out, "old");
	run_is_old(false);
}

static void test_who_waited_for_the_disk_goes_on_when_it_agrees(void **state)
{
	pid_t keeper = live_keeper();

	kill(keeper, SIGSTOP);
	send_transaction(10);
	ask_early(keeper, "/run/w", false, 0);
	assert_string_equal(out, "new");
	run_is_new();
	restart();
	run_is_new();
}

static void test_what_a_domain_had_that_ended_meanwhile_does_not_come_back(void **state)
{
	pid_t keeper;

	fill_disk();
	keeper = live_keeper();
	kill(keeper, SIGSTOP);
	send_transaction(3000);
	ask_early(keeper, "/run/w", true, ENOSPC);
	run_is_old(true);
	restart();
	run_is_old(true);
}

/* A kill before the disk has answered: after the restart it is all there, or nothing. */
static void test_kill_while_the_disk_is_asked_leaves_all_or_nothing(void **state)
{
	pid_t keeper = live_keeper();

	kill(keeper, SIGSTOP);
	send_transaction(10);
	live_kill(SIGKILL);
	kill(keeper, SIGKILL);
	restart();
	if (live_request(fd, XS_READ, "/config/refused", 16, out) == 0)
		run_is_new();
	else
		run_is_old(false);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_refused_transaction_is_undone_whole),
		T(test_nobody_sees_what_the_disk_may_still_refuse),
		T(test_who_waited_for_the_disk_goes_on_when_it_agrees),
		T(test_what_a_domain_had_that_ended_meanwhile_does_not_come_back),
		T(test_kill_while_the_disk_is_asked_leaves_all_or_nothing),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
