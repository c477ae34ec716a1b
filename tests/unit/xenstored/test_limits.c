/* SPDX-License-Identifier: MIT */
/*
 * test_limits.c - the daemon runs out of descriptors. Claims: clients that are connected are
 * served, persistent changes included; it does not spin; who waits is let in when others leave.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "live.h"

#define DESCRIPTORS 48
#define CLIENTS 80

/* How often the daemon has said that it cannot accept. */
static unsigned int refusals(void)
{
	char cmd[200];
	unsigned int nr = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "grep -c 'cannot accept' %s/log", live.dir);
	f = popen(cmd, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &nr), 1);
	pclose(f);
	return nr;
}

static void test_clients_beyond_the_limit_wait_and_others_are_served(void **state)
{
	const struct rlimit few = { DESCRIPTORS, DESCRIPTORS };
	int first = live_open(), fd[CLIENTS];
	unsigned int served = 0;
	double began;

	assert_int_equal(live_write_number(first, "/config/x", 1), 0);
	began = live_now();
	assert_int_equal(prlimit(live.pid, RLIMIT_NOFILE, &few, NULL), 0);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		fd[i] = live_try_open();
		assert_true(fd[i] >= 0);
		assert_true(live_send(fd[i], XS_READ, 0, "/config/x", 10));
	}
	/* Through the loop a few times: nobody who could be accepted is left. */
	for (unsigned long i = 2; i < 50; i++) {
		assert_int_equal(live_write_number(first, "/config/x", i), 0);
		assert_int_equal(live_write_number(first, "/run/x", i), 0);
		assert_int_equal(live_read_number(first, "/config/x"), i);
	}
	for (unsigned int i = 0; i < CLIENTS; i++)
		served += live_is_answered(fd[i]);
	assert_true(served > 0 && served < CLIENTS);
	for (unsigned int i = 0; i < CLIENTS / 2; i++)
		close(fd[i]);
	for (unsigned int i = CLIENTS / 2; i < CLIENTS; i++) {
		assert_int_equal(live_await(fd[i], NULL), 0);
		close(fd[i]);
	}
	/* It tries again once a second, and when a client leaves; not all the time. */
	assert_true(refusals() <= CLIENTS + 3 + 2 * (unsigned int)(live_now() - began));
	close(first);
}

#define T(name) cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_clients_beyond_the_limit_wait_and_others_are_served),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = live_quiet = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
