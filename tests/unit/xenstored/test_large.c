/* SPDX-License-Identifier: MIT */
/*
 * test_large.c - one change that needs more of the disk than is allocated ahead. Claims: it is
 * accepted when the disk has room for it, and lasts; what there is no room for is refused with
 * ENOSPC, after which the store goes on; nobody else waits meanwhile.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "live.h"

/* More than what is allocated ahead has room for. */
#define NODES 50000u
/* Few enough for the socket's buffers. */
#define BATCH 100u

static uint32_t begin(int fd)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	assert_int_equal(live_request(fd, XS_TRANSACTION_START, "", 1, out), 0);
	return (uint32_t)strtoul(out, NULL, 10);
}

static void write_below(int fd, uint32_t tx, const char *dir)
{
	char data[120];

	for (unsigned int i = 0; i < NODES; i++) {
		int len = snprintf(data, sizeof(data), "%s/%u%cthe value of number %u", dir, i, 0, i);

		assert_true(live_send(fd, XS_WRITE, tx, data, (uint32_t)len));
		for (unsigned int n = 0; i % BATCH == BATCH - 1 && n < BATCH; n++)
			assert_int_equal(live_await(fd, NULL), 0);
	}
}

static void write_all(int fd, uint32_t tx)
{
	write_below(fd, tx, "/config/large");
}

static int end(int fd, uint32_t tx)
{
	assert_true(live_send(fd, XS_TRANSACTION_END, tx, "T", 2));
	return live_await(fd, NULL);
}

static bool is_there(int fd, unsigned int i)
{
	char path[64], want[64], out[XENSTORE_PAYLOAD_MAX + 1];

	snprintf(path, sizeof(path), "/config/large/%u", i);
	snprintf(want, sizeof(want), "the value of number %u", i);
	return live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, out) == 0 &&
	       strcmp(out, want) == 0;
}

static void command(const char *format)
{
	char cmd[200];

	snprintf(cmd, sizeof(cmd), format, live.state_dir);
	assert_int_equal(system(cmd), 0);
}

static pid_t stopped;
static bool mounted;

static void stop_worker(void)
{
	stopped = live_worker();
	assert_int_equal(kill(stopped, SIGSTOP), 0);
}

static void let_worker_go_on(int sig)
{
	assert_int_equal(kill(stopped, sig), 0);
	stopped = 0;
}

/* Also after a failure: who ends the daemon waits for its worker. */
static int teardown(void **state)
{
	if (stopped)
		let_worker_go_on(SIGKILL);
	live_end();
	if (mounted)
		command("umount -l %s");
	mounted = false;
	return live_teardown(state);
}

/* As after a boot: only the disk has it. */
static int boot(void)
{
	live_end();
	assert_int_equal(files_remove(live.dir), 0);
	assert_int_equal(mkdir(live.dir, 0700), 0);
	live.hv->close(live.hv);
	live.hv = fake_hv_open(live.fake);
	live_start();
	return live_open();
}

static void test_a_large_transaction_and_a_large_removal(void **state)
{
	int fd = live_open();
	uint32_t tx = begin(fd);

	write_all(fd, tx);
	assert_int_equal(end(fd, tx), 0);
	close(fd);
	fd = boot();
	for (unsigned int i = 0; i < NODES; i += 97)
		assert_true(is_there(fd, i));
	assert_true(is_there(fd, NODES - 1));
	assert_int_equal(live_request(fd, XS_RM, "/config/large", 14, NULL), 0);
	close(fd);
	fd = boot();
	assert_false(is_there(fd, 0));
	assert_int_equal(live_request(fd, XS_READ, "/config/large", 14, NULL), ENOENT);
	close(fd);
}

/* The worker does not answer: who needs its room waits, and nobody else. */
static void test_only_who_needs_the_room_waits(void **state)
{
	int fd = live_open(), other = live_open();
	uint32_t tx = begin(fd);

	write_all(fd, tx);
	stop_worker();
	assert_true(live_send(fd, XS_TRANSACTION_END, tx, "T", 2));
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(live_write_number(other, "/tool/other", i), 0);
		assert_int_equal(live_read_number(other, "/tool/other"), i);
	}
	assert_false(live_is_answered(fd));
	let_worker_go_on(SIGCONT);
	assert_int_equal(live_await(fd, NULL), 0);
	assert_true(is_there(fd, NODES / 2));
	close(fd);
	close(other);
}

/* What is allocated for the first is not there for the second, which was asked for beside it. */
static void test_two_wait_and_both_get_their_room(void **state)
{
	int fd = live_open(), other = live_open(), third = live_open();
	uint32_t tx = begin(fd), other_tx = begin(other);

	write_all(fd, tx);
	write_below(other, other_tx, "/config/other");
	stop_worker();
	assert_true(live_send(fd, XS_TRANSACTION_END, tx, "T", 2));
	assert_true(live_send(other, XS_TRANSACTION_END, other_tx, "T", 2));
	/* Both have asked by then. */
	assert_int_equal(live_write_number(third, "/tool/passed", 1), 0);
	assert_false(live_is_answered(fd) || live_is_answered(other));
	let_worker_go_on(SIGCONT);
	assert_int_equal(live_await(fd, NULL), 0);
	assert_int_equal(live_await(other, NULL), 0);
	close(fd);
	close(other);
	close(third);
}

/* The next one is asked. */
static void test_a_worker_that_dies_meanwhile_refuses_nothing(void **state)
{
	int fd = live_open();
	uint32_t tx = begin(fd);

	write_all(fd, tx);
	stop_worker();
	assert_true(live_send(fd, XS_TRANSACTION_END, tx, "T", 2));
	let_worker_go_on(SIGKILL);
	assert_int_equal(live_await(fd, NULL), 0);
	assert_true(is_there(fd, NODES - 1));
	close(fd);
}

static void test_a_disk_without_room_refuses_just_that(void **state)
{
	uint32_t tx;
	int fd;

	if (getuid() != 0)
		skip();
	live_end();
	/* In some containers even root may not. */
	if (system("mount -t tmpfs -o size=1m x /mnt 2>/dev/null && umount /mnt") != 0)
		skip();
	command("mount -t tmpfs -o size=40m x %s");
	mounted = true;
	live_start();
	fd = live_open();
	tx = begin(fd);
	write_all(fd, tx);
	assert_int_equal(end(fd, tx), ENOSPC);
	assert_false(is_there(fd, 0));
	assert_int_equal(live_write_number(fd, "/config/small", 7), 0);
	close(fd);
	fd = boot();
	assert_int_equal(live_read_number(fd, "/config/small"), 7);
	close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, live_setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_a_large_transaction_and_a_large_removal),
		T(test_only_who_needs_the_room_waits),
		T(test_two_wait_and_both_get_their_room),
		T(test_a_worker_that_dies_meanwhile_refuses_nothing),
		T(test_a_disk_without_room_refuses_just_that),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
