/* SPDX-License-Identifier: MIT */
/*
 * test_rollback.c - files of the durable side that are older than what is beside them: an old copy
 * of data.mdb that is put in its place, writes that the disk has lost, logs that nobody could read
 * on. Claims: what another copy has is not lost, an older state is never taken for the last one
 * without a word, nothing that may be the last copy is overwritten.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_kit.h"
#include "storage/disk_copy.h"

/* Ends the process before data.mdb gets another content; set in a child only. */
static bool dies;

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int __wrap_rename(const char *from, const char *to)
{
	if (dies && strstr(to, "/data.mdb"))
		_exit(7);
	return __real_rename(from, to);
}

static void copy(const char *from, const char *to)
{
	static char bytes[1 << 16];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	assert_int_equal(n, 0);
	close(in);
	close(out);
}

/* The name behind which a directory cannot be read on; 0: it can. */
static unsigned int names_left;

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
struct dirent *__real_readdir64(DIR *d);
struct dirent *__wrap_readdir64(DIR *d);

static bool dir_fails(void)
{
	if (names_left == 0 || --names_left > 0)
		return false;
	names_left = 1;
	errno = EIO;
	return true;
}

struct dirent *__wrap_readdir(DIR *d)
{
	return dir_fails() ? NULL : __real_readdir(d);
}

struct dirent *__wrap_readdir64(DIR *d)
{
	return dir_fails() ? NULL : __real_readdir64(d);
}

static char old[200];

/* A store, closed, of which @old has data.mdb as it was before its last start. */
static void make(struct kit *k)
{
	kit_init(k);
	kit_open(k);
	kit_rev(k, "+/config= +/config/a=1");
	kit_rev(k, "+/config/b=2");
	kit_close(k, true);
	snprintf(old, sizeof(old), "%.100s/old", k->state);
	copy(kit_file(k, "data.mdb"), old);
	kit_open(k);
	kit_rev(k, "+/config/c=3 -/config/a");
	kit_rev(k, "+/config/d=4");
	kit_rev(k, "+/config/d=5");
	kit_close(k, true);
}

#define LAST "/config= /config/b=2 /config/c=3 /config/d=5 "

static void put_old_back(struct kit *k)
{
	char data[200];

	snprintf(data, sizeof(data), "%.100s/store/data.mdb", k->state);
	copy(old, data);
}

static void remove_all(struct kit *k, const char *pattern)
{
	while (kit_count(k, pattern))
		assert_int_equal(unlink(kit_file(k, pattern)), 0);
}

/* data.mdb is all there is. */
static void leave_the_file(struct kit *k)
{
	remove_all(k, "log-*");
	remove_all(k, "generations/*");
}

/* Opened, it has these, and nothing is missing. */
static void open_whole(struct kit *k, const char *nodes)
{
	kit_open(k);
	assert_string_equal(kit_nodes(k), nodes);
	assert_false(k->found.degraded);
}

/* A file of @other's, which ends, comes to @k's in @dir. */
static void mix(struct kit *k, struct kit *other, const char *dir, const char *pattern)
{
	const char *from = kit_file(other, pattern);
	char to[300];

	snprintf(to, sizeof(to), "%s/store/%s%s", k->state, dir, strrchr(from, '/') + 1);
	assert_int_not_equal(access(to, F_OK), 0);
	copy(from, to);
	kit_fini(other);
}

/* Of a store that is another and much further on, the last generation. */
static void mix_generation(struct kit *k)
{
	struct kit other;

	kit_init(&other);
	kit_open(&other);
	for (unsigned int i = 0; i < 20; i++)
		kit_rev(&other, "+/config=another +/config/z=1");
	kit_close(&other, true);
	kit_open(&other);
	mix(k, &other, "generations/", "generations/*.mdb");
}

/* What follows is as ever, and the administrator has to say that he knows. */
static void assert_stale(struct kit *k, const char *lost)
{
	assert_true(k->found.degraded);
	assert_string_equal(kit_lost(k), lost);
	kit_rev(k, "+/config/e=6");
	kit_close(k, true);
	kit_open(k);
	assert_true(k->found.degraded);
	assert_string_equal(kit_lost(k), lost);
	assert_int_equal(disk_lost_known(k->d), 0);
	kit_close(k, true);
	kit_open(k);
	assert_false(k->found.degraded);
	kit_fini(k);
}

static void test_the_logs_make_up_for_an_old_file_and_it_is_said(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	put_old_back(&k);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), LAST);
	assert_stale(&k, "/?4@6 ");
}

/* Nor is it known that they have all there was: they do not end. */
static void test_logs_without_an_end_may_lack_something_too(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	kit_open(&k);
	kit_rev(&k, "+/config/f=7");
	kit_close(&k, false);
	put_old_back(&k);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), LAST "/config/f=7 ");
	assert_stale(&k, "/?3@18 ");
}

/* The logs of its time are gone: the last generation goes before it. */
static void test_a_newer_generation_goes_before_an_old_file(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	kit_open(&k);
	kit_close(&k, true);
	kit_open(&k);
	kit_rev(&k, "+/config/f=7");
	kit_close(&k, true);
	while (kit_count(&k, "log-*") > 1) {
		char first[300], newest[200];

		snprintf(newest, sizeof(newest), "%s", kit_file(&k, "log-*"));
		snprintf(first, sizeof(first), "%s.kept", newest);
		assert_int_equal(rename(newest, first), 0);
		remove_all(&k, "log-*[0-9]");
		assert_int_equal(rename(first, newest), 0);
	}
	put_old_back(&k);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), LAST "/config/f=7 ");
	assert_int_equal(kit_count(&k, "older-*"), 1);
	assert_stale(&k, "/?4@6 ");
}

/* --- whose it is --- */

static void id_of(const char *path, unsigned char id[DISK_ID])
{
	struct disk_facts facts;

	assert_int_equal(disk_look(path, 64u << 20, &facts), 0);
	memcpy(id, facts.id, DISK_ID);
}

/* As a release leaves it that knows of no id. */
static void forget_id(const char *path)
{
	MDB_val key = { 5, "store" };
	struct disk_env e;

	assert_int_equal(disk_env_open(&e, path, 64u << 20, DISK_AMEND), 0);
	assert_int_equal(disk_env_begin(&e, true), 0);
	assert_int_equal(mdb_del(e.txn, e.meta, &key, NULL), 0);
	assert_int_equal(disk_env_commit(&e), 0);
	disk_env_close(&e);
}

/* Every place of @file with @text: the byte behind it, or its whole page. */
static void spoil(const char *file, const char *text, bool page)
{
	static char bytes[8 << 20], zeroes[4096];
	int fd = open(file, O_RDWR);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	char *at = bytes;

	assert_true(fd >= 0 && len > 0);
	while ((at = memmem(at, (size_t)(bytes + len - at), text, strlen(text)))) {
		off_t from = page ? (at - bytes) / 4096 * 4096 : at - bytes + (off_t)strlen(text);
		size_t n = page ? sizeof(zeroes) : 1;

		assert_int_equal(pwrite(fd, page ? zeroes : "\xff", n, from), n);
		at = bytes + from + (page ? 4096 : 0);
	}
	close(fd);
}

/* Two directories were mixed: a number does not say of which store the state is that has it. */
static void test_a_generation_of_another_store_is_not_believed(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	mix_generation(&k);
	open_whole(&k, LAST);
	assert_int_equal(kit_count(&k, "foreign-*.mdb"), 1);
	kit_rev(&k, "+/config/f=7");
	kit_close(&k, true);
	/* It stands for nothing any more, also where the file is gone. */
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	open_whole(&k, LAST "/config/f=7 ");
	kit_fini(&k);
}

/* What follows by its number on what there is may be another store's all the same. */
static void test_a_log_of_another_store_is_not_believed(void **state)
{
	struct kit k, other;

	(void)state;
	make(&k);
	make(&other);
	kit_open(&other);
	kit_rev(&other, "+/config/evil=1");
	kit_close(&other, true);
	mix(&k, &other, "", "log-*");
	open_whole(&k, LAST);
	assert_int_equal(kit_count(&k, "foreign-*"), 1);
	kit_rev(&k, "+/config/f=7");
	kit_close(&k, true);
	open_whole(&k, LAST "/config/f=7 ");
	kit_fini(&k);
}

/* Nor is the number of one believed where data.mdb is damaged: it says which store it was. */
static void test_a_damaged_file_does_not_become_another_store(void **state)
{
	char data[300];
	struct kit k;

	(void)state;
	make(&k);
	mix_generation(&k);
	/* A record that is not whole. */
	snprintf(data, sizeof(data), "%.100s/store/data.mdb", k.state);
	spoil(data, "/config/d", false);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), LAST);
	assert_int_equal(kit_count(&k, "foreign-*.mdb"), 1);
	kit_fini(&k);
}

static void test_a_store_keeps_its_id(void **state)
{
	unsigned char first[DISK_ID], id[DISK_ID];
	struct kit k;

	(void)state;
	make(&k);
	id_of(kit_file(&k, "data.mdb"), first);
	assert_true(disk_id_known(first));
	id_of(kit_file(&k, "generations/*.mdb"), id);
	assert_memory_equal(id, first, DISK_ID);
	/* The release before was here for a while. */
	forget_id(kit_file(&k, "data.mdb"));
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), LAST);
	kit_close(&k, true);
	id_of(kit_file(&k, "data.mdb"), id);
	assert_memory_equal(id, first, DISK_ID);
	/* No file says anything: one that is upgraded. */
	forget_id(kit_file(&k, "data.mdb"));
	remove_all(&k, "generations/*.mdb");
	kit_open(&k);
	kit_close(&k, true);
	id_of(kit_file(&k, "data.mdb"), first);
	assert_true(disk_id_known(first));
	kit_open(&k);
	assert_false(k.found.degraded);
	kit_close(&k, true);
	id_of(kit_file(&k, "data.mdb"), id);
	assert_memory_equal(id, first, DISK_ID);
	kit_fini(&k);
}

/* No copy of what was newer is left, but its name is: nobody is told that nothing is missing. */
static void test_what_nothing_is_left_of_but_a_name_is_missing(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	remove_all(&k, "log-*");
	kit_open(&k);
	kit_close(&k, false);
	remove_all(&k, "generations/*");
	put_old_back(&k);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), "/config= /config/a=1 /config/b=2 ");
	assert_true(k.found.degraded);
	assert_string_equal(kit_lost(&k), "/?3@6 ");
	/* No revision is made twice. */
	assert_true(disk_applied(k.d) > 6);
	kit_fini(&k);
}

/* All of STATE as it was: that is how an administrator goes back on purpose. */
static void test_a_whole_directory_of_before_is_no_old_file(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	leave_the_file(&k);
	put_old_back(&k);
	open_whole(&k, "/config= /config/a=1 /config/b=2 ");
	kit_fini(&k);
}

/* Behind the last number there is none: no store has made that file. */
static void test_a_number_that_no_store_comes_to_is_no_revision(void **state)
{
	static const char *const names[] = {
		"store/log-18446744073709551615", "store/generations/18446744073709551615.mdb",
		"store/generations/00072057594037927936.mdb",
	};
	char path[200];
	struct kit k;
	uint64_t rev;
	int fd;

	(void)state;
	make(&k);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", k.state, names[i]);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	kit_open(&k);
	assert_false(k.found.degraded);
	rev = kit_rev(&k, "+/config/f=7");
	kit_close(&k, true);
	kit_open(&k);
	assert_int_equal(k.found.applied, rev);
	assert_string_equal(kit_nodes(&k), LAST "/config/f=7 ");
	kit_fini(&k);
}

/* A disk that tells of a part of the names does not tell which was the last one. */
static void test_a_part_of_the_names_is_not_taken_for_all(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	put_old_back(&k);
	for (unsigned int left = 1; left < 4; left++) {
		names_left = left;
		assert_int_equal(kit_try(&k), -EIO);
		k.d = NULL;
	}
	names_left = 0;
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), LAST);
	assert_stale(&k, "/?4@6 ");
}

/* The daemon has been told of more than any copy has. */
static void test_what_was_told_and_is_nowhere_is_missing(void **state)
{
	struct kit k;

	(void)state;
	make(&k);
	leave_the_file(&k);
	put_old_back(&k);
	k.told = 15;
	kit_open(&k);
	assert_true(k.found.degraded);
	assert_string_equal(kit_lost(&k), "/?3@6 ");
	kit_fini(&k);
}

/* --- logs --- */

/* Opens it where no file can be made that has anything in it. */
static void open_without_room(struct kit *k)
{
	struct rlimit was, low = { 8192, 8192 };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	low.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	kit_open(k);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_DFL);
}

/* Where there was no room for a log of them, the end mark of the one before is none. */
static void test_changes_that_no_log_has_are_missed_when_the_file_is(void **state)
{
	unsigned int logs;
	struct kit k;

	(void)state;
	make(&k);
	logs = kit_count(&k, "log-*");
	open_without_room(&k);
	assert_int_equal(k.found.read_only, 0);
	assert_int_equal(kit_count(&k, "log-*"), logs);
	kit_rev(&k, "+/config/f=7");
	kit_close(&k, true);
	/* With it, nothing is missing. */
	open_whole(&k, LAST "/config/f=7 ");
	kit_fini(&k);

	make(&k);
	open_without_room(&k);
	kit_rev(&k, "+/config/f=7");
	kit_close(&k, true);
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	kit_open(&k);
	assert_true(k.found.degraded);
	assert_non_null(strstr(kit_lost(&k), "/?3@"));
	kit_fini(&k);
}

/* Changes behind one that is broken are applied by nobody: somebody may read them yet. */
static void test_a_log_that_could_not_be_read_on_is_not_overwritten(void **state)
{
	char log[200], was[200];
	struct stat st, now;
	struct kit k;

	(void)state;
	make(&k);
	kit_open(&k);
	kit_rev(&k, "+/config/f=7");
	kit_rev(&k, "+/config/g=8");
	kit_close(&k, true);
	snprintf(log, sizeof(log), "%s", kit_file(&k, "log-*"));
	assert_int_equal(stat(log, &st), 0);
	snprintf(was, sizeof(was), "%.100s/was", k.state);
	copy(log, was);
	/* Its first change, and data.mdb. */
	kit_scribble(log, 60, 1);
	kit_scribble(kit_file(&k, "data.mdb"), 0, 65536);
	k.told = 18;
	kit_open(&k);
	assert_true(k.found.degraded);
	assert_int_equal(kit_count(&k, "unread-*"), 1);
	assert_int_equal(stat(kit_file(&k, "unread-*"), &now), 0);
	assert_int_equal(now.st_size, st.st_size);
	kit_fini(&k);
}

/* --- the moment between putting a file aside and the new one --- */

/* It came and went behind the earlier state, and the log has both: nothing of it is missing. */
static void test_what_the_log_has_removed_is_not_lost(void **state)
{
	char text[600], log[200];
	struct stat st;
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config=");
	for (unsigned int i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), "+/config/n%02u=only-%02u-%0300u", i, i, i);
		kit_rev(&k, text);
	}
	kit_close(&k, true);
	kit_open(&k);
	kit_rev(&k, "+/config/tmp=1");
	kit_rev(&k, "-/config/tmp");
	kit_rev(&k, "+/config/z=1");
	kit_close(&k, true);
	/* The last change is in no log any more, and a page is gone from the middle of the file. */
	snprintf(log, sizeof(log), "%s", kit_file(&k, "log-*"));
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(truncate(log, st.st_size - 30), 0);
	spoil(kit_file(&k, "data.mdb"), "only-30-", true);
	kit_open(&k);
	assert_true(k.found.degraded);
	assert_null(strstr(kit_lost(&k), "/config/tmp"));
	assert_non_null(strstr(kit_lost(&k), "/config/n30?2@"));
	assert_non_null(strstr(kit_nodes(&k), "/config/z=1 "));
	kit_fini(&k);
}

static void test_who_is_killed_in_the_middle_finds_what_there_was(void **state)
{
	char data[200];
	struct kit k;
	pid_t pid;
	int status;

	(void)state;
	make(&k);
	snprintf(data, sizeof(data), "%.100s/store/data.mdb", k.state);
	leave_the_file(&k);
	/* What is there can still be read record by record. */
	spoil(data, "/config/d", false);
	pid = fork();
	if (pid == 0) {
		dies = true;
		kit_try(&k);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	kit_open(&k);
	assert_false(k.found.made_new);
	assert_true(k.found.damaged);
	assert_true(k.found.degraded);
	assert_non_null(strstr(kit_nodes(&k), "/config/b=2 /config/c=3 "));
	kit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_logs_make_up_for_an_old_file_and_it_is_said),
		cmocka_unit_test(test_logs_without_an_end_may_lack_something_too),
		cmocka_unit_test(test_a_newer_generation_goes_before_an_old_file),
		cmocka_unit_test(test_a_generation_of_another_store_is_not_believed),
		cmocka_unit_test(test_a_log_of_another_store_is_not_believed),
		cmocka_unit_test(test_a_damaged_file_does_not_become_another_store),
		cmocka_unit_test(test_a_store_keeps_its_id),
		cmocka_unit_test(test_what_nothing_is_left_of_but_a_name_is_missing),
		cmocka_unit_test(test_a_whole_directory_of_before_is_no_old_file),
		cmocka_unit_test(test_a_number_that_no_store_comes_to_is_no_revision),
		cmocka_unit_test(test_a_part_of_the_names_is_not_taken_for_all),
		cmocka_unit_test(test_what_was_told_and_is_nowhere_is_missing),
		cmocka_unit_test(test_changes_that_no_log_has_are_missed_when_the_file_is),
		cmocka_unit_test(test_a_log_that_could_not_be_read_on_is_not_overwritten),
		cmocka_unit_test(test_what_the_log_has_removed_is_not_lost),
		cmocka_unit_test(test_who_is_killed_in_the_middle_finds_what_there_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
