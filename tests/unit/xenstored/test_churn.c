/* SPDX-License-Identifier: MIT */
/*
 * test_churn.c - domains come and go, and keys change at random: the daemon's memory and the file
 * of the live environment are afterwards what they were before. With STOREVISOR_LONG: 50,000
 * domains and ten million commits.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

#define DOMIDS 100u
#define KEYS 20u
#define PATHS 2000u
#define VALUE_MAX 600u
#define MIB 1048576u

static int client;

static int setup(void **state)
{
	(void)state;
	live_fast = true;
	if (live_make() < 0)
		return -1;
	live_start();
	client = live_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(client);
	return live_remove();
}

static void ask(uint32_t type, const char *data, size_t len)
{
	int err = live_request(client, type, data, (uint32_t)len, NULL);

	if (err)
		fail_msg("request %u of %s: errno %d", type, data, err);
}

static void one_domain(unsigned int domid)
{
	char buf[200];
	size_t len;

	fake_domain(live.hv, domid, FAKE_EXISTS);
	len = (size_t)snprintf(buf, sizeof(buf), "%u%c5%c9", domid, 0, 0) + 1;
	ask(XS_INTRODUCE, buf, len);
	for (unsigned int k = 0; k < KEYS; k++) {
		len = (size_t)snprintf(buf, sizeof(buf), "/local/domain/%u/device/%u%cvalue %u",
				       domid, k, 0, k);
		ask(XS_WRITE, buf, len);
		len = (size_t)snprintf(buf, sizeof(buf), "/local/domain/%u/device/%u%cn%u", domid,
				       k, 0, domid) + 1;
		ask(XS_SET_PERMS, buf, len);
	}
	len = (size_t)snprintf(buf, sizeof(buf), "/local/domain/%u%ctoken", domid, 0) + 1;
	ask(XS_WATCH, buf, len);
	/* its first event, in whichever order */
	assert_int_equal(live_await(client, NULL), 0);
	ask(XS_UNWATCH, buf, len);
	len = (size_t)snprintf(buf, sizeof(buf), "%u", domid) + 1;
	ask(XS_RELEASE, buf, len);
	fake_domain(live.hv, domid, 0);
	len = (size_t)snprintf(buf, sizeof(buf), "/local/domain/%u", domid) + 1;
	ask(XS_RM, buf, len);
}

static void domains(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		one_domain(1 + i % DOMIDS);
}

/* One change of one of PATHS nodes; what does not exist is not removed. */
static void one_change(void)
{
	char buf[200 + VALUE_MAX];
	unsigned int n = live_rnd(PATHS);
	int len = snprintf(buf, 200, "/tool/churn/%u/%u", n % 37, n) + 1, err;

	if (live_rnd(3) == 0) {
		err = live_request(client, XS_RM, buf, (uint32_t)len, NULL);
		assert_true(err == 0 || err == 2);
		return;
	}
	n = live_rnd(VALUE_MAX);
	memset(buf + len, 'x', n);
	ask(XS_WRITE, buf, (size_t)len + n);
}

static void changes(unsigned int nr)
{
	while (nr--)
		one_change();
	ask(XS_RM, "/tool/churn", 12);
}

static void test_everything_returns_to_the_start(void **state)
{
	size_t memory_before, file_before;

	(void)state;
	/* what is allocated once */
	domains(DOMIDS);
	changes(2 * PATHS);
	memory_before = live_own_bytes();
	file_before = live_file_bytes();

	domains(live_count(300, 50000));
	changes(live_count(30000, 10000000));
	print_message("memory %zu to %zu KiB, file %zu to %zu KiB\n", memory_before / 1024,
		      live_own_bytes() / 1024, file_before / 1024, live_file_bytes() / 1024);
	assert_true(live_own_bytes() < memory_before + MIB / 4);
	assert_true(live_file_bytes() <= file_before + 2 * MIB);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everything_returns_to_the_start, setup,
						teardown),
	};

	if (live_init(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
