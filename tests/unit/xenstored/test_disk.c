/* SPDX-License-Identifier: MIT */
/*
 * test_disk.c - the durable side by itself: what is committed is there at the next start, once and
 * in order; each file may be missing or damaged; room is known before it is needed.
 */
#include "disk_kit.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/checked.h"
#include "storage/disk_env.h"

static void test_a_new_store_is_empty(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	assert_true(k.found.made_new);
	assert_false(k.found.damaged || k.found.degraded || k.found.taken_over);
	assert_int_equal(k.found.read_only, 0);
	assert_int_equal(disk_applied(k.d), 0);
	assert_string_equal(kit_nodes(&k), "");
	kit_fini(&k);
}

static void test_what_is_committed_is_there_at_the_next_start(void **state)
{
	struct kit k;
	uint64_t rev;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config= +/config/b=1 +/config/a=2 +/config/b/x=3 +/config/b-c=4");
	rev = kit_rev(&k, "-/config/b +/config/a=5 +/config/0=6");
	kit_close(&k, true);
	kit_open(&k);
	assert_false(k.found.made_new || k.found.damaged);
	assert_int_equal(k.found.applied, rev);
	assert_int_equal(disk_applied(k.d), rev);
	assert_string_equal(kit_nodes(&k), "/config= /config/a=5 /config/b-c=4 /config/0=6 ");
	kit_close(&k, false);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), "/config= /config/a=5 /config/b-c=4 /config/0=6 ");
	kit_fini(&k);
}

static void test_long_paths_are_kept_and_removed_as_others(void **state)
{
	static char deep[3000], text[9000], expect[9000];
	struct kit k;

	(void)state;
	strcpy(deep, "/config");
	while (strlen(deep) < 2900)
		strcat(deep, "/abcdefghijklmnopqrst");
	kit_init(&k);
	kit_open(&k);
	snprintf(text, sizeof(text), "+/config= +%s=1 +%s/x=2 +%.994s=3 +%.994sz=4", deep, deep,
		 deep, deep);
	kit_rev(&k, text);
	snprintf(expect, sizeof(expect), "/config= %s=1 %s/x=2 %.994s=3 %.994sz=4 ", deep, deep,
		 deep, deep);
	assert_string_equal(kit_nodes(&k), expect);
	snprintf(text, sizeof(text), "-%.994s", deep);
	kit_rev(&k, text);
	snprintf(expect, sizeof(expect), "/config= %.994sz=4 ", deep);
	kit_close(&k, true);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), expect);
	kit_fini(&k);
}

static void test_no_revision_is_applied_twice_and_none_is_left_out(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	assert_int_equal(kit_try_rev(&k, 4, 0, "+/config=1"), 0);
	assert_int_equal(kit_try_rev(&k, 9, 4, "+/config=2"), 0);
	/* Again, and an older one: passed over. */
	assert_int_equal(kit_try_rev(&k, 9, 4, "+/config=3"), 0);
	assert_int_equal(kit_try_rev(&k, 4, 0, "+/config=4"), 0);
	assert_string_equal(kit_nodes(&k), "/config=2 ");
	assert_int_equal(disk_applied(k.d), 9);
	/* Something between is missing. */
	assert_int_equal(kit_try_rev(&k, 12, 11, "+/config=5"), -ESTALE);
	assert_int_equal(kit_try_rev(&k, 12, 0, "+/config=5"), -ESTALE);
	assert_string_equal(kit_nodes(&k), "/config=2 ");
	/* All there is of another store, which never made what is here. */
	assert_int_equal(kit_try_rev(&k, 20, 8, "* +/config=5"), -ESTALE);
	assert_string_equal(kit_nodes(&k), "/config=2 ");
	/* All there is: nothing can be missing. */
	assert_int_equal(kit_try_rev(&k, 20, 18, "* +/config=6 +/config/y=7"), 0);
	assert_string_equal(kit_nodes(&k), "/config=6 /config/y=7 ");
	kit_close(&k, true);
	kit_open(&k);
	assert_int_equal(k.found.applied, 20);
	assert_string_equal(kit_nodes(&k), "/config=6 /config/y=7 ");
	kit_fini(&k);
}

static void test_an_aborted_commit_leaves_nothing(void **state)
{
	struct change c;
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config=1");
	assert_int_equal(disk_begin(k.d), 0);
	kit_change("+/config=2", &c);
	c.prev = 3;
	assert_int_equal(disk_change(k.d, 6, 0, &c), 0);
	disk_abort(k.d);
	assert_int_equal(disk_applied(k.d), 3);
	kit_rev(&k, "+/config/z=1");
	kit_close(&k, true);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), "/config=1 /config/z=1 ");
	kit_fini(&k);
}

/* --- one file is gone or damaged --- */

static void filled(struct kit *k)
{
	kit_init(k);
	kit_open(k);
	kit_rev(k, "+/config= +/config/a=1 +/config/b=2");
	kit_rev(k, "+/config/c=3 -/config/a");
	kit_close(k, true);
	kit_open(k);
	kit_rev(k, "+/config/d=4");
	kit_rev(k, "+/config/b=5");
}

#define FILLED "/config= /config/b=5 /config/c=3 /config/d=4 "

static void scribble(const char *path, off_t at, size_t len)
{
	static const char junk[65536] = { [0 ... 65535] = 0x5a };
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, len, at), len);
	close(fd);
}

static void check_filled(struct kit *k, bool damaged)
{
	kit_open(k);
	assert_int_equal(k->found.damaged, damaged);
	assert_string_equal(kit_lost(k), "");
	assert_false(k->found.degraded);
	assert_string_equal(kit_nodes(k), FILLED);
	/* And it goes on. */
	kit_rev(k, "+/config/e=6");
	kit_close(k, true);
	kit_open(k);
	assert_string_equal(kit_nodes(k), FILLED "/config/e=6 ");
	kit_fini(k);
}

static void test_a_store_file_that_is_gone_comes_back_whole(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	check_filled(&k, true);
}

static void test_a_store_file_cut_to_nothing_comes_back_whole(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	assert_int_equal(truncate(kit_file(&k, "data.mdb"), 0), 0);
	check_filled(&k, true);
}

static void test_a_store_file_full_of_junk_comes_back_whole(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	scribble(kit_file(&k, "data.mdb"), 0, 65536);
	assert_int_equal(kit_count(&k, "damaged-*"), 0);
	check_filled(&k, true);
}

static void test_what_is_damaged_is_put_aside_not_removed(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	scribble(kit_file(&k, "data.mdb"), 0, 65536);
	kit_open(&k);
	assert_int_equal(kit_count(&k, "damaged-*"), 1);
	kit_fini(&k);
}

/* The process died in the middle: the logs have no end mark, and what was told is known. */
static void test_after_a_crash_what_was_told_decides(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	k.told = disk_applied(k.d);
	kit_close(&k, false);
	scribble(kit_file(&k, "data.mdb"), 0, 65536);
	check_filled(&k, true);
}

static void test_generations_and_logs_may_go(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	while (kit_count(&k, "generations/*.mdb"))
		unlink(kit_file(&k, "generations/*.mdb"));
	while (kit_count(&k, "log-*"))
		unlink(kit_file(&k, "log-*"));
	check_filled(&k, false);
}

static void test_the_newer_generation_may_be_damaged_too(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	assert_true(kit_count(&k, "generations/*.mdb") > 1);
	scribble(kit_file(&k, "data.mdb"), 0, 65536);
	scribble(kit_file(&k, "generations/*.mdb"), 0, 30000);
	check_filled(&k, true);
}

/* Two kinds of copies at once: what cannot be known is said. */
static void test_what_no_file_has_is_named(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	scribble(kit_file(&k, "data.mdb"), 0, 65536);
	while (kit_count(&k, "log-*"))
		unlink(kit_file(&k, "log-*"));
	kit_open(&k);
	assert_true(k.found.damaged && k.found.degraded);
	assert_string_equal(kit_nodes(&k), "/config= /config/b=2 /config/c=3 ");
	assert_string_equal(kit_lost(&k),
			    "/?3@6 /config?2@3 /config/b?2@3 /config/c?2@6 ");
	/* It says so until somebody knows. */
	kit_rev(&k, "+/config/e=6");
	kit_close(&k, true);
	kit_open(&k);
	assert_true(k.found.degraded && !k.found.damaged);
	assert_int_equal(disk_lost_known(k.d), 0);
	assert_string_equal(kit_lost(&k), "");
	kit_close(&k, true);
	kit_open(&k);
	assert_false(k.found.degraded);
	kit_fini(&k);
}

/* Somebody was told of a later revision than any file has: changes are missing, and seen to be. */
static void test_a_live_store_that_knows_more_is_not_believed_to_be_complete(void **state)
{
	uint64_t last;
	struct kit k;

	(void)state;
	filled(&k);
	last = disk_applied(k.d);
	kit_close(&k, true);
	k.told = last + 5;
	kit_open(&k);
	assert_true(k.found.degraded);
	assert_int_equal(kit_try_rev(&k, last + 6, last + 5, "+/config/q=1"), -ESTALE);
	assert_int_equal(kit_try_rev(&k, last + 6, last + 5, "* +/config=8"), 0);
	assert_string_equal(kit_nodes(&k), "/config=8 ");
	assert_string_equal(kit_lost(&k), "");
	kit_fini(&k);
}

/* The summary as a release to come might write it. */
static void write_format(const char *path, uint32_t format)
{
	unsigned char bytes[64];
	struct disk_env e;
	MDB_val key = { 4, "head" }, value = { sizeof(bytes), bytes };

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes + CHECKED_HEAD, &(uint32_t){ htole32(format) }, 4);
	checked_seal('m', "head", 4, bytes, sizeof(bytes));
	assert_int_equal(disk_env_open(&e, path, 64u << 20, DISK_AMEND), 0);
	assert_int_equal(disk_env_begin(&e, true), 0);
	assert_int_equal(mdb_put(e.txn, e.meta, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(e.txn), 0);
	e.txn = NULL;
	disk_env_close(&e);
}

static void test_a_later_format_is_refused_and_left_alone(void **state)
{
	struct stat before, after;
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	write_format(kit_file(&k, "data.mdb"), 4);
	assert_int_equal(stat(kit_file(&k, "data.mdb"), &before), 0);
	assert_int_equal(kit_try(&k), -EPROTONOSUPPORT);
	assert_int_equal(stat(kit_file(&k, "data.mdb"), &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_mtime == after.st_mtime);
	kit_fini(&k);
}

/* --- a directory that cannot be written --- */

/* Permissions do not stop root: what is claimed is looked at by somebody else. */
static void as_nobody(int (*claims)(struct kit *k), struct kit *k)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(99);
		_exit(claims(k));
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void give_to_nobody(struct kit *k)
{
	char command[300];

	if (getuid() != 0)
		return;
	snprintf(command, sizeof(command), "chown -R 65534:65534 %s %s", k->state, k->run);
	assert_int_equal(system(command), 0);
}

static int served_read_only(struct kit *k)
{
	if (kit_try(k) < 0)
		return 1;
	if (k->found.read_only != -EACCES || k->found.damaged || k->found.degraded)
		return 2;
	if (strcmp(kit_nodes(k), FILLED) != 0)
		return 3;
	if (disk_begin(k->d) != -EACCES)
		return 4;
	kit_close(k, true);
	return 0;
}

static int served_again(struct kit *k)
{
	struct disk_found found;
	uint64_t last;

	if (kit_try(k) < 0 || k->found.read_only != -EACCES)
		return 1;
	/* It can be written again: the same process goes on. */
	if (chmod(kit_file(k, "."), 0700) < 0 || disk_reopen(k->d, &found) < 0 || found.read_only)
		return 2;
	last = disk_applied(k->d);
	if (kit_try_rev(k, last + 1, last, "+/config/e=6") < 0)
		return 3;
	kit_close(k, true);
	return 0;
}

static void test_a_read_only_directory_is_served(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	give_to_nobody(&k);
	assert_int_equal(chmod(kit_file(&k, "."), 0500), 0);
	as_nobody(served_read_only, &k);
	as_nobody(served_again, &k);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), FILLED "/config/e=6 ");
	kit_fini(&k);
}

/* --- room --- */

static void test_room_is_allocated_ahead(void **state)
{
	struct disk_room room;
	struct stat st;
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	disk_room(k.d, &room);
	/* Enough for a document with 10,000 nodes in one transaction. */
	assert_true(disk_need(&room, 10000, 10000 * 100) <= room.free_bytes);
	assert_int_equal(stat(kit_file(&k, "data.mdb"), &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 >= room.free_bytes);
	assert_true(disk_need(&room, 1, 100) < room.free_bytes);
	assert_int_equal(disk_need(&room, 0, 0), 0);
	kit_fini(&k);
}

/* What was said to be enough is enough: the commit's pages come out of what was allocated. */
static void test_what_is_promised_is_enough(void **state)
{
	static char text[400000], value[3000];
	struct disk_room room;
	struct stat before, after;
	struct kit k;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config=");
	for (unsigned int round = 1; round <= 40; round++) {
		uint64_t bytes = 0;
		unsigned int nr = 1 + round * 7 % 100;
		size_t at = 0;

		for (unsigned int i = 0; i < nr; i++) {
			unsigned int len = i * 37 * round % 2900;

			at += (size_t)snprintf(text + at, sizeof(text) - at, " +/config/n%u=%.*s",
					       i * round % 211, (int)len, value);
			/* It may replace the largest. */
			bytes += 20 + len + 2900;
		}
		disk_room(k.d, &room);
		if (disk_need(&room, nr, bytes) > room.free_bytes)
			continue;
		assert_int_equal(stat(kit_file(&k, "data.mdb"), &before), 0);
		kit_rev(&k, text);
		assert_int_equal(stat(kit_file(&k, "data.mdb"), &after), 0);
		assert_true(before.st_size == after.st_size);
	}
	kit_fini(&k);
}

/*
 * A full store: what does not fit is known beforehand, what is removed still goes, and then there
 * is room again.
 */
static void test_a_full_store_takes_removals(void **state)
{
	static char text[3000], value[2500];
	unsigned int nr = 0, removed = 0;
	struct disk_room room;
	struct kit k;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	kit_init(&k);
	k.map_size = 2u << 20;
	kit_open(&k);
	kit_rev(&k, "+/config=");
	for (;; nr++) {
		disk_room(k.d, &room);
		if (disk_need(&room, 1, 2600) > room.free_bytes)
			break;
		snprintf(text, sizeof(text), "+/config/n%u=%s", nr, value);
		kit_rev(&k, text);
	}
	assert_true(nr > 100);
	for (; removed < nr; removed++) {
		uint64_t last = disk_applied(k.d);
		int ret;

		snprintf(text, sizeof(text), "-/config/n%u", removed);
		ret = kit_try_rev(&k, last + 1, last, text);
		/* As the worker does. */
		if (ret == -ENOSPC)
			ret = kit_try_lean(&k, last + 1, last, text);
		assert_int_equal(ret, 0);
	}
	assert_string_equal(kit_nodes(&k), "/config= ");
	for (int i = 0; i < 5; i++)
		disk_room(k.d, &room);
	assert_true(disk_need(&room, 1, 2600) <= room.free_bytes);
	kit_close(&k, true);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), "/config= ");
	kit_fini(&k);
}

/* --- generations --- */

static void test_a_start_keeps_what_it_found_as_a_generation(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	for (int i = 0; i < 12; i++) {
		kit_open(&k);
		kit_rev(&k, "+/config=1");
		kit_close(&k, true);
	}
	/* Of one hour, the two newest are kept. */
	assert_int_equal(kit_count(&k, "generations/*.mdb"), 2);
	assert_true(kit_count(&k, "log-*") <= 3);
	kit_fini(&k);
}

/* While the store is open, in a process of its own; not before its time, nor when nothing changed. */
static void test_a_generation_is_written_beside(void **state)
{
	const uint64_t minute = 60 * 1000000000ull;
	unsigned int before;
	struct kit k;
	int status;
	pid_t pid;

	(void)state;
	filled(&k);
	before = kit_count(&k, "generations/*.mdb");
	disk_generation(k.d, minute);
	disk_generation(k.d, 2 * minute);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	disk_generation(k.d, 7 * minute);
	kit_rev(&k, "+/config/later=1");
	pid = waitpid(-1, &status, 0);
	assert_true(pid > 0);
	assert_true(disk_generation_ended(k.d, pid, status));
	assert_true(kit_count(&k, "generations/*.mdb") >= before);
	disk_generation(k.d, 8 * minute);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	/* It and the log begun with it make up for all else. */
	kit_close(&k, true);
	unlink(kit_file(&k, "data.mdb"));
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), FILLED "/config/later=1 ");
	assert_string_equal(kit_lost(&k), "");
	kit_fini(&k);
}

/* What no log has is in a new generation as soon as there may be one. */
static void test_a_log_that_cannot_be_begun_is_made_up_for(void **state)
{
	const uint64_t second = 1000000000ull;
	char log[300];
	struct kit k;
	int status;
	pid_t pid;

	(void)state;
	filled(&k);
	disk_generation(k.d, second);
	kit_rev(&k, "+/config/later=1");
	snprintf(log, sizeof(log), "%s/store/log-%020llu", k.state,
		 (unsigned long long)disk_applied(k.d));
	assert_int_equal(mkdir(log, 0700), 0);
	disk_generation(k.d, 400 * second);
	pid = waitpid(-1, &status, 0);
	assert_true(disk_generation_ended(k.d, pid, status));
	assert_int_equal(rmdir(log), 0);
	kit_rev(&k, "+/config/last=2");
	disk_generation(k.d, 402 * second);
	pid = waitpid(-1, &status, 0);
	assert_true(pid > 0);
	assert_true(disk_generation_ended(k.d, pid, status));
	kit_close(&k, true);
	unlink(kit_file(&k, "data.mdb"));
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), FILLED "/config/later=1 /config/last=2 ");
	kit_fini(&k);
}

static void test_a_start_that_lost_something_overwrites_no_generation(void **state)
{
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	scribble(kit_file(&k, "data.mdb"), 0, 65536);
	while (kit_count(&k, "log-*"))
		unlink(kit_file(&k, "log-*"));
	assert_int_equal(kit_count(&k, "generations/*.mdb"), 2);
	for (int i = 0; i < 6; i++) {
		kit_open(&k);
		assert_true(k.found.degraded);
		kit_rev(&k, "+/config=1");
		kit_close(&k, true);
	}
	/* Those that were there are there still. */
	assert_int_equal(kit_count(&k, "generations/*0.mdb"), 1);
	assert_int_equal(kit_count(&k, "generations/*06.mdb"), 1);
	kit_fini(&k);
}

static void make_generation(struct kit *k, uint64_t now_ns)
{
	int status;
	pid_t pid;

	disk_generation(k->d, now_ns);
	pid = waitpid(-1, &status, 0);
	assert_true(pid > 0);
	assert_true(disk_generation_ended(k->d, pid, status));
}

/* Nobody knows of the loss for long: what is from before it stays, and nothing else adds up. */
static void test_a_degraded_store_does_not_grow_without_end(void **state)
{
	const uint64_t minute = 60 * 1000000000ull;
	unsigned int generations, logs;
	struct kit k;

	(void)state;
	filled(&k);
	kit_close(&k, true);
	scribble(kit_file(&k, "data.mdb"), 0, 65536);
	while (kit_count(&k, "log-*"))
		unlink(kit_file(&k, "log-*"));
	kit_open(&k);
	assert_true(k.found.degraded);
	generations = kit_count(&k, "generations/*.mdb");
	logs = kit_count(&k, "log-*");
	disk_generation(k.d, minute);
	for (unsigned int i = 1; i <= 12; i++) {
		kit_rev(&k, "+/config/later=1");
		make_generation(&k, minute + 6 * minute * i);
	}
	assert_true(kit_count(&k, "generations/*.mdb") <= generations + 6);
	assert_true(kit_count(&k, "log-*") <= logs + 6);
	assert_int_equal(kit_count(&k, "generations/*0.mdb"), 1);
	assert_int_equal(kit_count(&k, "generations/*06.mdb"), 1);
	/* Now somebody knows. */
	assert_int_equal(disk_lost_known(k.d), 0);
	kit_rev(&k, "+/config/later=2");
	make_generation(&k, 90 * minute);
	assert_true(kit_count(&k, "generations/*.mdb") <= 4);
	kit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_store_is_empty),
		cmocka_unit_test(test_what_is_committed_is_there_at_the_next_start),
		cmocka_unit_test(test_long_paths_are_kept_and_removed_as_others),
		cmocka_unit_test(test_no_revision_is_applied_twice_and_none_is_left_out),
		cmocka_unit_test(test_an_aborted_commit_leaves_nothing),
		cmocka_unit_test(test_a_store_file_that_is_gone_comes_back_whole),
		cmocka_unit_test(test_a_store_file_cut_to_nothing_comes_back_whole),
		cmocka_unit_test(test_a_store_file_full_of_junk_comes_back_whole),
		cmocka_unit_test(test_what_is_damaged_is_put_aside_not_removed),
		cmocka_unit_test(test_after_a_crash_what_was_told_decides),
		cmocka_unit_test(test_generations_and_logs_may_go),
		cmocka_unit_test(test_the_newer_generation_may_be_damaged_too),
		cmocka_unit_test(test_what_no_file_has_is_named),
		cmocka_unit_test(test_a_live_store_that_knows_more_is_not_believed_to_be_complete),
		cmocka_unit_test(test_a_later_format_is_refused_and_left_alone),
		cmocka_unit_test(test_a_read_only_directory_is_served),
		cmocka_unit_test(test_room_is_allocated_ahead),
		cmocka_unit_test(test_what_is_promised_is_enough),
		cmocka_unit_test(test_a_full_store_takes_removals),
		cmocka_unit_test(test_a_start_keeps_what_it_found_as_a_generation),
		cmocka_unit_test(test_a_generation_is_written_beside),
		cmocka_unit_test(test_a_log_that_cannot_be_begun_is_made_up_for),
		cmocka_unit_test(test_a_start_that_lost_something_overwrites_no_generation),
		cmocka_unit_test(test_a_degraded_store_does_not_grow_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
