/* SPDX-License-Identifier: MIT */
/*
 * test_compacting.c - data.mdb is written anew under a daemon that serves (decision 40). Claims:
 * after a large import and its removal the file shrinks, while clients read and write; wherever the
 * disk hangs meanwhile, only who waits for the disk waits; whoever is killed there, the worker, who
 * copies, or all of them, what was acknowledged is there, in this boot and in the next, and the
 * file shrinks.
 *
 * argv[1]: the daemon built with the fake machine that is in a hurry (hasty.c). STOREVISOR_SEED,
 * STOREVISOR_LONG.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "live.h"

#define MIB		1048576u
/* What the import has; the file grows to several times of that. */
#define NODES		15000u
#define VALUE		1000u
#define BATCH		50u
#define LARGE		(80u * MIB)
#define SMALL		(48u * MIB)
/* Values that are followed. */
#define KEYS		8u

static int fd;
static char out[XENSTORE_PAYLOAD_MAX + 1], at_file[100], go_file[100];
static unsigned long acked[KEYS], tried[KEYS];

static uint64_t file_bytes(void)
{
	char path[100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/store/data.mdb", live.state_dir);
	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

static bool has_copy(void)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/store/new.mdb", live.state_dir);
	return access(path, F_OK) == 0;
}

static void start(const char *point)
{
	snprintf(at_file, sizeof(at_file), "%s/at", live.dir);
	unlink(at_file);
	setenv("XS_HASTY_AT", at_file, 1);
	snprintf(go_file, sizeof(go_file), "%s/go", live.state_dir);
	setenv("XS_HASTY_GO", go_file, 1);
	if (point)
		setenv("XS_HASTY_POINT", point, 1);
	else
		unsetenv("XS_HASTY_POINT");
	live_start();
	fd = live_open();
}

static int setup(void **state)
{
	live_fast = true;
	return live_make();
}

static int teardown(void **state)
{
	return live_remove();
}

/* Until it is so; a test that fails here has waited in vain. */
#define UNTIL(so)                                                                                  \
	do {                                                                                       \
		double end_ = live_now() + LIVE_PATIENCE_S;                                       \
		while (!(so)) {                                                                    \
			if (live_now() > end_)                                                     \
				fail_msg("never: %s", #so);                                        \
			usleep(2000);                                                              \
		}                                                                                  \
	} while (0)

/* --- what is followed: 1 and up, one client each time --- */

static void key_path(unsigned int i, char *path)
{
	sprintf(path, "/config/followed/%u", i);
}

static void put(unsigned int i)
{
	char path[64];

	key_path(i, path);
	if (live_write_number(fd, path, ++tried[i]) == 0)
		acked[i] = tried[i];
}

/* Asked for, and not awaited. */
static void ask(unsigned int i)
{
	char data[64];
	int len;

	key_path(i, data);
	len = (int)strlen(data) + 1;
	len += sprintf(data + len, "%lu", ++tried[i]);
	assert_true(live_send(fd, XS_WRITE, 0, data, (uint32_t)len));
}

static void answered(unsigned int i)
{
	assert_int_equal(live_await(fd, NULL), 0);
	acked[i] = tried[i];
}

static void assert_followed(void)
{
	char path[64];

	for (unsigned int i = 0; i < KEYS; i++) {
		unsigned long v;

		key_path(i, path);
		v = live_read_number(fd, path);
		if (v < acked[i] || v > tried[i])
			fail_msg("%s is %lu, acknowledged %lu, tried %lu", path, v, acked[i], tried[i]);
		tried[i] = acked[i] = v;
	}
	assert_int_equal(live_request(fd, XS_CONTROL, "check", 6, out), 0);
	assert_string_equal(out, "OK");
}

/* --- a large import, and its removal --- */

static void import(void)
{
	char data[100 + VALUE];
	uint32_t tx;

	assert_int_equal(live_request(fd, XS_TRANSACTION_START, "", 1, out), 0);
	tx = (uint32_t)strtoul(out, NULL, 10);
	for (unsigned int i = 0; i < NODES; i++) {
		int len = sprintf(data, "/config/large/%u", i) + 1;

		memset(data + len, 'a' + (int)(i % 26), VALUE);
		assert_true(live_send(fd, XS_WRITE, tx, data, (uint32_t)len + VALUE));
		for (unsigned int n = 0; i % BATCH == BATCH - 1 && n < BATCH; n++)
			assert_int_equal(live_await(fd, NULL), 0);
	}
	assert_true(live_send(fd, XS_TRANSACTION_END, tx, "T", 2));
	assert_int_equal(live_await(fd, NULL), 0);
}

/* From here on there may be a compaction. */
static void go(void)
{
	FILE *f = fopen(go_file, "we");

	assert_non_null(f);
	fclose(f);
}

static void import_and_remove(void)
{
	unlink(go_file);
	import();
	assert_int_equal(live_request(fd, XS_RM, "/config/large", 14, NULL), 0);
	for (unsigned int i = 0; i < KEYS; i++)
		put(i);
}

static void assert_served(void)
{
	int other = live_open();

	assert_int_equal(live_write_number(other, "/run/x", 7), 0);
	assert_int_equal(live_read_number(other, "/run/x"), 7);
	assert_int_equal(live_request(other, XS_READ, "/config/followed", 17, NULL), 0);
	assert_int_equal(live_request(other, XS_CONTROL, "check", 6, out), 0);
	assert_string_equal(out, "OK");
	close(other);
}

static void test_the_file_shrinks_while_clients_are_served(void **state)
{
	int guest;
	ino_t before;
	struct stat st;

	start(NULL);
	import_and_remove();
	assert_true(file_bytes() > LARGE);
	snprintf(out, sizeof(out), "%s/store/data.mdb", live.state_dir);
	assert_int_equal(stat(out, &st), 0);
	before = st.st_ino;
	guest = live_open();
	go();
	for (unsigned long n = 1; file_bytes() > SMALL; n++) {
		assert_int_equal(live_write_number(guest, "/run/busy", n), 0);
		assert_int_equal(live_read_number(guest, "/run/busy"), n);
		assert_true(n < 10000000);
	}
	assert_int_equal(stat(out, &st), 0);
	assert_true(st.st_ino != before);
	assert_false(has_copy());
	put(0);
	import_and_remove();
	assert_followed();
	go();
	UNTIL(file_bytes() < SMALL);
	live_end();
	start(NULL);
	assert_followed();
	close(guest);
}

/* --- at each point of it --- */

enum whose { COPYING, WORKER };

static const struct {
	const char *name;
	enum whose whose;
} points[] = {
	{ "copy", COPYING },  { "check", COPYING },  { "checked", COPYING }, { "close", WORKER },
	{ "rename", WORKER }, { "renamed", WORKER }, { "open", WORKER },     { "room", WORKER },
	{ "ended", WORKER },
};

enum { POINTS = sizeof(points) / sizeof(points[0]) };

/* A third of them at a time, which one the seed says. */
#define EACH_POINT(i)                                                                              \
	for (unsigned int i = live_rnd(live_count(3, 1)); i < POINTS; i += live_count(3, 1))

static pid_t pid_at(void)
{
	FILE *f = fopen(at_file, "re");
	int pid = 0;

	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

/* The process that has stopped at the point. */
static pid_t come_to(const char *point)
{
	pid_t pid;

	start(point);
	import_and_remove();
	assert_true(file_bytes() > LARGE);
	go();
	UNTIL((pid = pid_at()) != 0);
	print_message("%s: %s\n", point, has_copy() ? "there is a copy" : "there is none");
	assert_served();
	return pid;
}

/* As after a boot: the disk is all there is. */
static void boot(void)
{
	live_end();
	close(fd);
	assert_int_equal(files_remove(live.dir), 0);
	assert_int_equal(mkdir(live.dir, 0700), 0);
	live.hv->close(live.hv);
	live.hv = fake_hv_open(live.fake);
	start(NULL);
}

static void assert_all_over_a_boot(void)
{
	assert_followed();
	put(1);
	boot();
	assert_followed();
	assert_int_equal(live_request(fd, XS_READ, "/config/large", 14, NULL), ENOENT);
	assert_true(file_bytes() < LARGE);
	assert_false(has_copy());
	live_end();
	close(fd);
}

/* The disk hangs there: who waits for it waits, and gets it. */
static void test_a_disk_that_hangs_in_it_holds_up_who_waits_for_it(void **state)
{
	EACH_POINT(i) {
		pid_t pid = come_to(points[i].name);
		int other = live_open();

		ask(2);
		while (live_read_number(other, "/config/followed/2") != tried[2])
			usleep(1000);
		if (points[i].whose == WORKER)
			assert_false(live_is_answered(fd));
		else
			answered(2);
		assert_served();
		kill(pid, SIGCONT);
		if (points[i].whose == WORKER)
			answered(2);
		UNTIL(file_bytes() < SMALL && !has_copy());
		close(other);
		assert_all_over_a_boot();
	}
}

/* One of them is killed, the daemon lives. */
static void test_who_is_killed_in_it_loses_nothing(void **state)
{
	EACH_POINT(i) {
		pid_t pid = come_to(points[i].name);

		if (points[i].whose == WORKER)
			ask(3);
		kill(pid, SIGKILL);
		if (points[i].whose == WORKER)
			answered(3);
		put(4);
		/* It is tried again, or a start has done it. */
		UNTIL(file_bytes() < SMALL && !has_copy());
		assert_all_over_a_boot();
	}
}

static void test_all_killed_in_it_lose_nothing(void **state)
{
	EACH_POINT(i) {
		pid_t pid = come_to(points[i].name), worker = live_worker();

		ask(5);
		live_kill(SIGKILL);
		kill(worker, SIGKILL);
		kill(pid, SIGKILL);
		live_settle();
		close(fd);
		start(NULL);
		put(6);
		UNTIL(file_bytes() < SMALL && !has_copy());
		assert_all_over_a_boot();
	}
}

/* The daemon is asked to end, and started again, while the disk hangs. */
static void test_the_end_comes_while_it_hangs(void **state)
{
	static const char *const some[] = { "check", "rename" };

	for (unsigned int i = 0; i < 2; i++) {
		pid_t pid = come_to(some[i]);

		ask(7);
		live_kill(SIGTERM);
		close(fd);
		start(NULL);
		assert_served();
		kill(pid, SIGCONT);
		put(7);
		UNTIL(file_bytes() < SMALL && !has_copy());
		assert_all_over_a_boot();
	}
}

/* --- at any moment --- */

static void kill_some(void)
{
	pid_t worker = live_worker();

	switch (live_rnd(3)) {
	case 0:
		kill(worker, SIGKILL);
		break;
	case 1:
		live_end();
		close(fd);
		start(NULL);
		break;
	default:
		live_kill(SIGKILL);
		kill(worker, SIGKILL);
		live_settle();
		close(fd);
		start(NULL);
	}
}

static void test_killed_at_any_moment(void **state)
{
	unsigned int rounds = live_count(3, 200), seen = 0;

	start(NULL);
	for (unsigned int i = 0; i < rounds; i++) {
		import_and_remove();
		go();
		/* Mostly while it is written, or just behind. */
		UNTIL(has_copy() || file_bytes() < SMALL);
		seen += has_copy();
		usleep(live_rnd(30000));
		if (live_rnd(3) == 0)
			ask(live_rnd(KEYS));
		kill_some();
		/* Its answer, or that of another connection. */
		close(fd);
		fd = live_open();
		put(live_rnd(KEYS));
		UNTIL(file_bytes() < SMALL && !has_copy());
		assert_followed();
	}
	print_message("%u of %u were seen at work\n", seen, rounds);
	assert_all_over_a_boot();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_the_file_shrinks_while_clients_are_served),
		T(test_a_disk_that_hangs_in_it_holds_up_who_waits_for_it),
		T(test_who_is_killed_in_it_loses_nothing),
		T(test_all_killed_in_it_lose_nothing),
		T(test_the_end_comes_while_it_hangs),
		T(test_killed_at_any_moment),
	};

	if (live_init(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
