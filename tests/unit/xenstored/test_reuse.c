/* SPDX-License-Identifier: MIT */
/*
 * test_reuse.c - the memory of what lives: the file system of the runtime directory is full when a
 * domain is introduced; nodes by the ten thousand come and go. Claims: what there is no room for is
 * refused with ENOSPC and works once there is; memory of what went is used again.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "live.h"

#define DOMAINS 2000u
#define NODES 20000u
/* A hundred bytes lost of each node would be more than OWN_MAX in so many rounds. */
#define ROUNDS 12u
#define OWN_MAX (16u << 20)

/* Enough to be one commit, few enough for the socket's buffers. */
#define BATCH 100u

static void command(const char *format)
{
	char cmd[200];

	snprintf(cmd, sizeof(cmd), format, live.dir, live.dir);
	assert_int_equal(system(cmd), 0);
}

/* Values of 2,500 bytes until there is no room for one more. */
static void fill(int fd)
{
	char data[3000];
	int err = 0;

	for (unsigned int i = 0; i < 20000 && !err; i++) {
		int len = snprintf(data, 64, "/run/fill/%u", i) + 1;

		memset(data + len, 'v', 2500);
		err = live_request(fd, XS_WRITE, data, (uint32_t)len + 2500, NULL);
	}
	assert_int_equal(err, ENOSPC);
}

static int introduce(int fd, unsigned int domid)
{
	char data[32];
	int len = snprintf(data, sizeof(data), "%u%c5%c9", domid, 0, 0) + 1;

	return live_request(fd, XS_INTRODUCE, data, (uint32_t)len, NULL);
}

static void test_full_runtime_file_system_refuses_an_introduction(void **state)
{
	char fake[] = "/dev/shm/xs-fake-XXXXXX", mount[200];
	unsigned int domid = 0;
	int fd, err = 0;

	if (getuid() != 0)
		skip();
	live_end();
	/* In some containers even root may not. */
	snprintf(mount, sizeof(mount), "rm -rf %s/* && mount -t tmpfs -o size=4096k x %s", live.dir,
		 live.dir);
	if (system(mount) != 0)
		skip();
	live.hv->close(live.hv);
	/* The machine's memory is somewhere else. */
	assert_non_null(mkdtemp(fake));
	strcpy(live.fake, fake);
	live.hv = fake_hv_open(live.fake);
	live_start();
	fd = live_open();
	fill(fd);
	while (!err && ++domid < DOMAINS) {
		fake_domain(live.hv, domid, FAKE_EXISTS);
		fake_ring(live.hv, domid);
		err = introduce(fd, domid);
	}
	assert_int_equal(err, ENOSPC);
	assert_int_equal(introduce(fd, domid), ENOSPC);
	command("mount -o remount,size=64m %s");
	/* It looks for more room once in a while. */
	for (unsigned int i = 0; i < 1200 && err == ENOSPC; i++) {
		err = introduce(fd, domid);
		usleep(50000);
	}
	assert_int_equal(err, 0);
	close(fd);
	live_end();
	command("umount -l %s");
	files_remove(fake);
	print_message("there was room for %u domains in what was left\n", domid - 1);
}

static void answers(int fd, unsigned int nr)
{
	while (nr-- > 0)
		assert_int_equal(live_await(fd, NULL), 0);
}

static void make_nodes(int fd)
{
	char data[300];

	for (unsigned int i = 0; i < NODES; i++) {
		int len = snprintf(data, 64, "/run/many/%u", i) + 1;

		memset(data + len, 'm', i % 200);
		assert_true(live_send(fd, XS_WRITE, 0, data, (uint32_t)len + i % 200));
		if (i % BATCH == BATCH - 1)
			answers(fd, BATCH);
	}
}

static void test_memory_of_nodes_that_go_is_used_again(void **state)
{
	size_t file = 0;
	int fd = live_open();

	for (unsigned int round = 0; round < ROUNDS; round++) {
		make_nodes(fd);
		/* What takes the first ones away is written beside them. */
		if (round == 1)
			file = live_file_bytes();
		/*
		 * The file holds what was the most at any time. store_shrink.c may copy in between, or
		 * what is taken away go more slowly than new nodes come: twice as much, and a third
		 * more, was seen where nobody came to run for long. Lost, all rounds would be there.
		 */
		if (round > 0 && live_file_bytes() > ROUNDS / 3 * file)
			fail_msg("round %u: the file has grown from %zu to %zu bytes", round, file,
				 live_file_bytes());
#ifndef __SANITIZE_ADDRESS__
		if (live_own_bytes() > OWN_MAX)
			fail_msg("round %u: the daemon has %zu bytes", round, live_own_bytes());
#endif
		assert_int_equal(live_request(fd, XS_RM, "/run/many", 10, NULL), 0);
	}
	print_message("%u nodes: %zu bytes of file, %zu of the daemon's own\n", NODES, file,
		      live_own_bytes());
	close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_full_runtime_file_system_refuses_an_introduction),
		T(test_memory_of_nodes_that_go_is_used_again),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
