/* SPDX-License-Identifier: MIT */
/*
 * test_compact.c - what data.mdb has of the disk and does not need is given back: when, that
 * nothing of it is another one afterwards, and that whoever comes between leaves the file as it
 * was.
 */
#include "disk_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MINUTE (60 * 1000000000ull)
#define MIB ((uint64_t)1 << 20)

static uint64_t bytes_of(struct kit *k)
{
	struct stat st;

	assert_int_equal(stat(kit_file(k, "data.mdb"), &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static ino_t file_of(struct kit *k)
{
	struct stat st;

	assert_int_equal(stat(kit_file(k, "data.mdb"), &st), 0);
	return st.st_ino;
}

/* A filled store that has been given a lot of room. */
static void bloated(struct kit *k)
{
	struct disk_room room;

	kit_init(k);
	k->map_size = 512 * MIB;
	kit_open(k);
	kit_rev(k, "+/config= +/config/a=1 +/config/b=2");
	kit_rev(k, "+/config/c=3 -/config/a");
	disk_room_for(k->d, 100 * MIB, &room);
	assert_true(room.free_bytes >= 100 * MIB);
	assert_true(bytes_of(k) >= 100 * MIB);
}

#define NODES "/config= /config/b=2 /config/c=3 "

/* A minute after the last change it begins. The process. */
static bool begins(struct kit *k, uint64_t now_ns, siginfo_t *ended)
{
	disk_compact(k->d, now_ns);
	disk_compact(k->d, now_ns + 2 * MINUTE);
	if (waitid(P_ALL, 0, ended, WEXITED | WNOWAIT) < 0) {
		assert_int_equal(errno, ECHILD);
		return false;
	}
	return true;
}

static void ends(struct kit *k, int wanted)
{
	int status, result = 1;
	pid_t pid = waitpid(-1, &status, 0);

	assert_true(pid > 0);
	assert_true(disk_compact_ended(k->d, pid, status, &result));
	assert_int_equal(result, wanted);
	assert_int_equal(kit_count(k, "new.mdb"), 0);
}

static void goes_on(struct kit *k)
{
	assert_string_equal(kit_nodes(k), NODES);
	kit_rev(k, "+/config/d=4");
	kit_close(k, true);
	kit_open(k);
	assert_string_equal(kit_nodes(k), NODES "/config/d=4 ");
	assert_false(k->found.damaged || k->found.degraded);
	kit_fini(k);
}

static void test_what_a_large_change_needed_is_given_back(void **state)
{
	static char text[5000];
	struct disk_room room;
	siginfo_t ended;
	struct kit k;

	(void)state;
	kit_init(&k);
	k.map_size = 512 * MIB;
	kit_open(&k);
	kit_rev(&k, "+/config= +/config/b=2 +/config/c=3");
	for (unsigned int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "+/config/n%u=%04000u", i, i);
		kit_rev(&k, text);
		if (i % 1000 == 0)
			disk_room(k.d, &room);
	}
	for (unsigned int i = 0; i < 10000; i++) {
		uint64_t last = disk_applied(k.d);

		snprintf(text, sizeof(text), "-/config/n%u", i);
		assert_int_equal(kit_try_lean(&k, last + 3, last, text), 0);
	}
	disk_room(k.d, &room);
	assert_true(bytes_of(&k) > 70 * MIB);
	assert_true(begins(&k, MINUTE, &ended));
	ends(&k, 0);
	assert_true(bytes_of(&k) < 40 * MIB);
	goes_on(&k);
}

static void test_nothing_is_another_one_afterwards(void **state)
{
	uint64_t applied;
	siginfo_t ended;
	struct kit k;
	ino_t before;

	(void)state;
	bloated(&k);
	applied = disk_applied(k.d);
	before = file_of(&k);
	assert_true(begins(&k, MINUTE, &ended));
	ends(&k, 0);
	assert_true(file_of(&k) != before);
	assert_true(disk_has_name(k.d));
	assert_int_equal(disk_applied(k.d), applied);
	assert_true(bytes_of(&k) < 40 * MIB);
	/* Not again for what there is. */
	assert_false(begins(&k, 10 * MINUTE, &ended));
	goes_on(&k);
}

/* The file alone, and then the log alone, have what came behind it. */
static void test_the_log_goes_on_behind_it(void **state)
{
	siginfo_t ended;
	struct kit k;

	(void)state;
	bloated(&k);
	assert_true(begins(&k, MINUTE, &ended));
	ends(&k, 0);
	kit_rev(&k, "+/config/d=4");
	kit_close(&k, true);
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), NODES "/config/d=4 ");
	assert_false(k.found.degraded);
	kit_fini(&k);
}

static void test_it_waits_for_a_minute_without_a_change(void **state)
{
	siginfo_t ended;
	struct kit k;

	(void)state;
	bloated(&k);
	disk_compact(k.d, MINUTE);
	kit_rev(&k, "+/config/d=4");
	disk_compact(k.d, 2 * MINUTE);
	kit_rev(&k, "-/config/d");
	disk_compact(k.d, 3 * MINUTE);
	disk_compact(k.d, 4 * MINUTE - 1);
	assert_int_equal(waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT | WNOHANG), -1);
	disk_compact(k.d, 4 * MINUTE);
	assert_int_equal(waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT), 0);
	ends(&k, 0);
	assert_true(bytes_of(&k) < 40 * MIB);
	goes_on(&k);
}

static void test_a_small_store_is_left_alone(void **state)
{
	siginfo_t ended;
	struct kit k;

	(void)state;
	kit_filled(&k);
	assert_false(begins(&k, MINUTE, &ended));
	kit_fini(&k);
}

static void test_what_changed_meanwhile_is_not_lost(void **state)
{
	siginfo_t ended;
	struct kit k;
	ino_t before;

	(void)state;
	bloated(&k);
	before = file_of(&k);
	assert_true(begins(&k, MINUTE, &ended));
	kit_rev(&k, "+/config/b=9");
	kit_rev(&k, "+/config/b=2");
	ends(&k, 0);
	assert_true(file_of(&k) == before);
	/* And it is tried again. */
	assert_true(begins(&k, 10 * MINUTE, &ended));
	ends(&k, 0);
	assert_true(file_of(&k) != before);
	goes_on(&k);
}

/* What it has written is not whole: it is taken for nothing, whatever is there. */
static void test_one_that_is_killed_leaves_it_as_it_was(void **state)
{
	int result = 1;
	siginfo_t ended;
	struct kit k;
	ino_t before;
	FILE *f;

	(void)state;
	bloated(&k);
	before = file_of(&k);
	assert_true(begins(&k, MINUTE, &ended));
	f = fopen(kit_file(&k, "new.mdb"), "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(waitpid(ended.si_pid, NULL, 0), ended.si_pid);
	/* The status of one that was killed. */
	assert_true(disk_compact_ended(k.d, ended.si_pid, SIGKILL, &result));
	assert_int_equal(result, 0);
	assert_int_equal(kit_count(&k, "new.mdb"), 0);
	assert_true(file_of(&k) == before);
	goes_on(&k);
}

static void test_one_under_way_ends_when_the_store_is_opened_again(void **state)
{
	struct disk_found found;
	struct kit k;

	(void)state;
	bloated(&k);
	disk_compact(k.d, MINUTE);
	disk_compact(k.d, 3 * MINUTE);
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	assert_int_equal(disk_reopen(k.d, &found), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	goes_on(&k);
}

/* Another process has the file open: a question, or somebody's tool. */
static void test_a_file_that_somebody_reads_stays(void **state)
{
	int in[2], out[2], status;
	siginfo_t ended;
	char path[300], c;
	struct kit k;
	ino_t before;
	pid_t pid;

	(void)state;
	bloated(&k);
	before = file_of(&k);
	snprintf(path, sizeof(path), "%s", kit_file(&k, "data.mdb"));
	assert_true(begins(&k, MINUTE, &ended));
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		MDB_env *env;

		if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, 8) ||
		    mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY, 0600))
			_exit(1);
		close(in[1]);
		_exit(write(out[1], "x", 1) != 1 || read(in[0], &c, 1) != 0);
	}
	assert_int_equal(read(out[0], &c, 1), 1);
	{
		int result = 1;

		assert_int_equal(waitpid(ended.si_pid, &status, 0), ended.si_pid);
		assert_true(disk_compact_ended(k.d, ended.si_pid, status, &result));
		assert_int_equal(result, 0);
	}
	assert_true(file_of(&k) == before);
	close(in[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	goes_on(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_large_change_needed_is_given_back),
		cmocka_unit_test(test_nothing_is_another_one_afterwards),
		cmocka_unit_test(test_the_log_goes_on_behind_it),
		cmocka_unit_test(test_it_waits_for_a_minute_without_a_change),
		cmocka_unit_test(test_a_small_store_is_left_alone),
		cmocka_unit_test(test_what_changed_meanwhile_is_not_lost),
		cmocka_unit_test(test_one_that_is_killed_leaves_it_as_it_was),
		cmocka_unit_test(test_one_under_way_ends_when_the_store_is_opened_again),
		cmocka_unit_test(test_a_file_that_somebody_reads_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
