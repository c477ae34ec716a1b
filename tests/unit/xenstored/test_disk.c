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
#include "storage/disk_copy.h"
#include "storage/disk_env.h"
#include "storage/disk_priv.h"
#include "in_child.h"

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

/* --- branches --- */

#define LEAVES_NODES 1200u
#define LEAVES_NAME "/config/n%05u-a-name-that-is-long-enough-for-many-leaves-and-branches-of-some-length"

/* Whether each node is found by a search of its own. */
static int find_all(void *arg)
{
	const struct disk_copying *c = arg;
	char path[200];
	struct disk_env e;
	MDB_val v;
	int ret = disk_env_open(&e, c->from, c->map_size, DISK_READ);

	if (ret == 0)
		ret = disk_env_begin(&e, false);
	for (unsigned int i = 0; i < LEAVES_NODES && ret == 0; i++) {
		int len = snprintf(path, sizeof(path), LEAVES_NAME, i);

		ret = disk_env_get(&e, DISK_NODE, &(MDB_val){ (size_t)len, path }, &v);
	}
	disk_env_close(&e);
	return ret;
}

/* The walk of a check goes over the leaves: that the branches lead to them is looked at, too. */
static void test_a_file_whose_branches_lead_astray_is_damaged(void **state)
{
	unsigned int branches = 0, refused = 0, taken = 0;
	char *text = malloc(LEAVES_NODES * 128u), *end = text;
	struct disk_copying c = { .map_size = 64u << 20 };
	unsigned char head[16], byte;
	char path[200];
	struct kit k;
	int fd;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	end += sprintf(end, "+/config= ");
	for (unsigned int i = 0; i < LEAVES_NODES; i++)
		end += sprintf(end, "+" LEAVES_NAME "=v ", i);
	kit_rev(&k, text);
	kit_close(&k, true);
	free(text);
	snprintf(path, sizeof(path), "%s/store/data.mdb", k.state);
	c.from = path;
	assert_int_equal(in_child(disk_check, &c), 0);
	assert_int_equal(in_child(find_all, &c), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t at = 2 * 4096; pread(fd, head, sizeof(head), at) == sizeof(head); at += 4096) {
		/* its own number, and what it is */
		if (head[0] + head[1] * 256 != at / 4096 || head[10] != 1 || head[11])
			continue;
		branches++;
		for (off_t i = at + 16 + branches; i < at + 4096; i += 13) {
			assert_int_equal(pread(fd, &byte, 1, i), 1);
			byte ^= (unsigned char)(1u << i % 8);
			assert_int_equal(pwrite(fd, &byte, 1, i), 1);
			if (in_child(disk_check, &c) < 0) {
				refused++;
			} else {
				taken++;
				assert_int_equal(in_child(find_all, &c), 0);
			}
			byte ^= (unsigned char)(1u << i % 8);
			assert_int_equal(pwrite(fd, &byte, 1, i), 1);
		}
	}
	close(fd);
	assert_true(branches >= 3 && refused > 10 && taken > 10);
	kit_fini(&k);
}

/* Pages of memory that are this process's alone. */
static long own_pages(void)
{
	long resident = 0, shared = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld %ld", &resident, &shared), 2);
	fclose(f);
	return resident - shared;
}

/* LMDB keeps the memory of the largest transaction there was, or would for months. */
static void test_the_memory_of_a_large_commit_is_given_back(void **state)
{
	enum { NODES = 20000 };
	char *text = malloc(NODES * 24u), *end = text;
	long before, large;
	uint64_t rev;
	struct kit k;

	(void)state;
	kit_init(&k);
	k.map_size = 256u << 20;
	kit_open(&k);
	kit_rev(&k, "+/config=1");
	for (unsigned int i = 0; i < NODES; i++)
		end += sprintf(end, "+/config/n%05u=value ", i);
	before = own_pages();
	kit_rev(&k, text);
	large = own_pages();
	assert_in_range(large - before, 1000, 100000);
	assert_int_equal(disk_rest(k.d), 0);
#ifndef __SANITIZE_ADDRESS__ /* whose allocator keeps what is freed, for a while */
	assert_true(own_pages() - before < (large - before) / 4);
#endif
	/* And goes on, small and large. */
	kit_rev(&k, "+/config=2");
	rev = kit_rev(&k, "-/config/n00001");
	assert_int_equal(disk_rest(k.d), 0);
	assert_int_equal(disk_applied(k.d), rev);
	kit_close(&k, true);
	kit_open(&k);
	assert_false(k.found.damaged || k.found.degraded);
	assert_int_equal(k.found.applied, rev);
	kit_fini(&k);
	free(text);
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

static void check_filled(struct kit *k, bool damaged)
{
	kit_open(k);
	assert_int_equal(k->found.damaged, damaged);
	assert_string_equal(kit_lost(k), "");
	assert_false(k->found.degraded);
	assert_string_equal(kit_nodes(k), KIT_FILLED);
	/* And it goes on. */
	kit_rev(k, "+/config/e=6");
	kit_close(k, true);
	kit_open(k);
	assert_string_equal(kit_nodes(k), KIT_FILLED "/config/e=6 ");
	kit_fini(k);
}

static void test_a_store_file_that_is_gone_comes_back_whole(void **state)
{
	struct kit k;

	(void)state;
	kit_filled(&k);
	kit_close(&k, true);
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	check_filled(&k, true);
}

static void test_a_store_file_cut_to_nothing_comes_back_whole(void **state)
{
	struct kit k;

	(void)state;
	kit_filled(&k);
	kit_close(&k, true);
	assert_int_equal(truncate(kit_file(&k, "data.mdb"), 0), 0);
	check_filled(&k, true);
}

static void test_a_store_file_full_of_junk_comes_back_whole(void **state)
{
	struct kit k;

	(void)state;
	kit_filled(&k);
	kit_close(&k, true);
	kit_scribble(kit_file(&k, "data.mdb"), 0, 65536);
	assert_int_equal(kit_count(&k, "damaged-*"), 0);
	check_filled(&k, true);
}

static void test_what_is_damaged_is_put_aside_not_removed(void **state)
{
	struct kit k;

	(void)state;
	kit_filled(&k);
	kit_close(&k, true);
	kit_scribble(kit_file(&k, "data.mdb"), 0, 65536);
	kit_open(&k);
	assert_int_equal(kit_count(&k, "damaged-*"), 1);
	kit_fini(&k);
}

/* The process died in the middle: the logs have no end mark, and what was told is known. */
static void test_after_a_crash_what_was_told_decides(void **state)
{
	struct kit k;

	(void)state;
	kit_filled(&k);
	k.told = disk_applied(k.d);
	kit_close(&k, false);
	kit_scribble(kit_file(&k, "data.mdb"), 0, 65536);
	check_filled(&k, true);
}

static void test_generations_and_logs_may_go(void **state)
{
	struct kit k;

	(void)state;
	kit_filled(&k);
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
	kit_filled(&k);
	kit_close(&k, true);
	assert_true(kit_count(&k, "generations/*.mdb") > 1);
	kit_scribble(kit_file(&k, "data.mdb"), 0, 65536);
	kit_scribble(kit_file(&k, "generations/*.mdb"), 0, 30000);
	check_filled(&k, true);
}

/* Two kinds of copies at once: what cannot be known is said. */
static void test_what_no_file_has_is_named(void **state)
{
	struct kit k;

	(void)state;
	kit_filled_and_lost(&k);
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
	kit_filled(&k);
	last = disk_applied(k.d);
	kit_close(&k, true);
	k.told = last + 5;
	kit_open(&k);
	assert_true(k.found.degraded);
	assert_int_equal(kit_try_rev(&k, last + 6, last + 5, "+/config/q=1"), -ESTALE);
	assert_int_equal(kit_try_rev(&k, last + 6, last + 5, "* +/config=8"), 0);
	assert_string_equal(kit_nodes(&k), "/config=8 ");
	kit_fini(&k);
}

/* A RESET says what it is all of; the rest is not its to take. */
/* Has the file that is open now read by a process, till @hold is closed. */
static pid_t read_beside(struct kit *k, int *hold)
{
	int ready[2], held[2];
	struct disk_env e;
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(held), 0);
	pid = fork();
	if (pid == 0) {
		close(held[1]);
		if (disk_env_open(&e, disk_path(k->d), 64u << 20, DISK_READ_BESIDE) == 0 &&
		    disk_env_begin(&e, false) == 0 && write(ready[1], "", 1) == 1)
			_exit(read(held[0], &byte, 1) == 0 ? 0 : 1);
		_exit(1);
	}
	close(ready[1]);
	close(held[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*hold = held[1];
	return pid;
}

/*
 * A question or a generation under way keeps LMDB's lock file open, in which it is written which
 * root is the last: of the file that had the name before.
 */
static void test_a_reader_of_the_file_before_leads_to_no_other_root(void **state)
{
	(void)state;
	for (unsigned int more = 0; more < 2; more++) {
		const char *want = more ? KIT_FILLED "/config/e=6 " : KIT_FILLED;
		struct disk_found found;
		int hold, status;
		struct kit k;
		pid_t pid;

		kit_filled(&k);
		if (more)
			kit_rev(&k, "+/config/e=6");
		pid = read_beside(&k, &hold);
		assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
		assert_int_equal(disk_reopen(k.d, &found), 0);
		assert_string_equal(kit_nodes(&k), want);
		close(hold);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(disk_reopen(k.d, &found), 0);
		assert_int_equal(found.read_only, 0);
		assert_string_equal(kit_nodes(&k), want);
		kit_rev(&k, "+/config/f=7");
		kit_close(&k, true);
		kit_open(&k);
		assert_non_null(strstr(kit_nodes(&k), "/config/f=7 "));
		kit_fini(&k);
	}
}

static void test_a_reset_takes_only_what_lasts_now(void **state)
{
	static const char rule[] = "+/config\0+/history\0*\0!/vm\0-/config/v";
	struct change c;
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config=1 +/config/v=2 +/config/v/w=3 +/config/x=4 +/vm=5 +/y=6");
	assert_int_equal(disk_begin(k.d), 0);
	kit_change("*", &c);
	c.value = rule;
	c.value_len = sizeof(rule);
	c.prev = disk_applied(k.d);
	assert_int_equal(disk_change(k.d, c.prev + 1, 0, &c), 0);
	assert_int_equal(disk_commit(k.d), 0);
	assert_string_equal(kit_nodes(&k), "/config/v=2 /config/v/w=3 /vm=5 ");
	kit_fini(&k);
}

/*
 * What comes anew may come from a store that was loaded behind the loss: it has no more than that.
 */
static void test_a_part_written_anew_does_not_end_what_is_said_of_a_loss(void **state)
{
	char said[300];
	struct kit k;

	(void)state;
	kit_filled_and_lost(&k);
	kit_open(&k);
	snprintf(said, sizeof(said), "%s", kit_lost(&k));
	assert_string_not_equal(said, "");
	kit_rev(&k, "* +/config=8 +/config/b=2");
	assert_string_equal(kit_lost(&k), said);
	kit_close(&k, true);
	kit_open(&k);
	assert_true(k.found.degraded);
	assert_string_equal(kit_lost(&k), said);
	assert_int_equal(disk_lost_known(k.d), 0);
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
	kit_filled(&k);
	kit_close(&k, true);
	write_format(kit_file(&k, "data.mdb"), 4);
	assert_int_equal(stat(kit_file(&k, "data.mdb"), &before), 0);
	assert_int_equal(kit_try(&k), -EPROTONOSUPPORT);
	assert_int_equal(stat(kit_file(&k, "data.mdb"), &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_mtime == after.st_mtime);
	kit_fini(&k);
}

/* --- a directory that cannot be written --- */

/* It is in memory, and as large as the store. */
static void test_the_copy_that_was_read_goes_when_it_is_read_no_more(void **state)
{
	char path[150];
	struct stat st;
	struct kit k;
	int fd;

	(void)state;
	kit_filled(&k);
	kit_close(&k, true);
	snprintf(path, sizeof(path), "%s/store-copy.mdb", k.run);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	kit_open(&k);
	assert_int_equal(k.found.read_only, 0);
	assert_int_equal(stat(path, &st), -1);
	kit_fini(&k);
}

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
	if (strcmp(kit_nodes(k), KIT_FILLED) != 0)
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
	kit_filled(&k);
	kit_close(&k, true);
	give_to_nobody(&k);
	assert_int_equal(chmod(kit_file(&k, "."), 0500), 0);
	as_nobody(served_read_only, &k);
	as_nobody(served_again, &k);
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), KIT_FILLED "/config/e=6 ");
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

/* The same in a store that has grown: what is there is copied, too. */
static void test_a_document_has_room_in_a_large_store(void **state)
{
	static char text[400000], value[2600];
	struct kit k;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	kit_init(&k);
	k.map_size = 512u << 20;
	kit_open(&k);
	kit_rev(&k, "+/config=");
	for (unsigned int round = 0; round < 120; round++) {
		struct disk_room room;
		size_t at = 0;

		for (unsigned int i = 0; i < 100; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, " +/config/n%u=%s",
					       round * 100 + i, value);
		kit_rev(&k, text);
		disk_room(k.d, &room);
		assert_true(disk_need(&room, 10000, 10000 * 100) <= room.free_bytes);
	}
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

/* Bytes of data.mdb from its beginning that were written, and those that LMDB uses. */
static void look_at_extent(struct kit *k, uint64_t *written, uint64_t *used)
{
	const char *path = kit_file(k, "data.mdb");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	MDB_envinfo info;
	struct disk_env e;

	assert_true(fd >= 0);
	*written = (uint64_t)lseek(fd, 0, SEEK_HOLE);
	close(fd);
	assert_int_equal(disk_env_open(&e, path, 64u << 20, DISK_READ), 0);
	assert_int_equal(mdb_env_info(e.env, &info), 0);
	disk_env_close(&e);
	*used = (info.me_last_pgno + 1) * 4096u;
}

/*
 * No commit but a large one is the first to write to a block: its sync would be one of the file
 * system's journal, too. Of what is only allocated that is true as of a hole. And what is written
 * for that is over nothing that there was, nor makes the file longer.
 */
static void test_blocks_are_written_before_a_commit_does(void **state)
{
	uint64_t written, used, first = 0;
	struct disk_room room;
	struct stat st;
	struct kit k;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config=");
	for (unsigned int i = 0; i < 1500; i++) {
		char text[700];

		disk_room(k.d, &room);
		look_at_extent(&k, &written, &used);
		first = first ? first : used;
		assert_true(written >= used + (128u << 10));
		assert_true(written <= used + (1u << 20));
		assert_int_equal(stat(kit_file(&k, "data.mdb"), &st), 0);
		assert_true(written < (uint64_t)st.st_size);
		snprintf(text, sizeof(text), "+/config/n%u=%0600u", i % 500, i);
		kit_rev(&k, text);
	}
	/* More than was written at first. */
	assert_true(used > first + (1u << 20));
	kit_close(&k, true);
	kit_open(&k);
	assert_int_equal(k.found.damaged, false);
	assert_true(strstr(kit_nodes(&k), "000001499 ") != NULL);
	kit_fini(&k);
}

/* Who puts another file in the place of data.mdb has it as it was, until that is found out. */
static void test_nothing_is_written_to_a_file_that_took_the_name(void **state)
{
	static unsigned char all[1u << 20], got[sizeof(all)];
	const char *path;
	char other[DISK_PATH];
	struct disk_room room;
	struct kit k;
	int fd;

	(void)state;
	kit_init(&k);
	kit_open(&k);
	kit_rev(&k, "+/config=");
	path = kit_file(&k, "data.mdb");
	snprintf(other, sizeof(other), "%s.other", path);
	memset(all, 0xff, sizeof(all));
	fd = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, all, sizeof(all)), sizeof(all));
	/* As when there were no descriptors. */
	close(k.d->fd);
	k.d->fd = -1;
	k.d->allocated = 0;
	assert_int_equal(rename(other, path), 0);
	disk_room(k.d, &room);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(got));
	assert_memory_equal(got, all, sizeof(all));
	assert_int_equal(room.free_bytes, 0);
	close(fd);
	kit_fini(&k);
}

/*
 * What is free, but not for the next commit: a question or a copy under way has it still before it.
 */
static void test_what_a_reader_sees_is_promised_to_nobody(void **state)
{
	static char text[400000], value[2500];
	struct disk_room room;
	unsigned int revs = 0;
	int hold, status;
	struct kit k;
	size_t at = 0;
	pid_t pid;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	kit_init(&k);
	k.map_size = 8u << 20;
	kit_open(&k);
	kit_rev(&k, "+/config=");
	for (unsigned int i = 0; i < 20; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " +/config/n%u=%s", i, value);
	pid = read_beside(&k, &hold);
	for (;; revs++) {
		disk_room(k.d, &room);
		if (disk_need(&room, 20, 20 * 2 * 2520) > room.free_bytes)
			break;
		kit_rev(&k, text);
		assert_true(revs < 1000);
	}
	close(hold);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_store_is_empty),
		cmocka_unit_test(test_what_is_committed_is_there_at_the_next_start),
		cmocka_unit_test(test_long_paths_are_kept_and_removed_as_others),
		cmocka_unit_test(test_no_revision_is_applied_twice_and_none_is_left_out),
		cmocka_unit_test(test_a_file_whose_branches_lead_astray_is_damaged),
		cmocka_unit_test(test_the_memory_of_a_large_commit_is_given_back),
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
		cmocka_unit_test(test_a_reader_of_the_file_before_leads_to_no_other_root),
		cmocka_unit_test(test_a_reset_takes_only_what_lasts_now),
		cmocka_unit_test(test_a_part_written_anew_does_not_end_what_is_said_of_a_loss),
		cmocka_unit_test(test_a_later_format_is_refused_and_left_alone),
		cmocka_unit_test(test_the_copy_that_was_read_goes_when_it_is_read_no_more),
		cmocka_unit_test(test_a_read_only_directory_is_served),
		cmocka_unit_test(test_room_is_allocated_ahead),
		cmocka_unit_test(test_a_document_has_room_in_a_large_store),
		cmocka_unit_test(test_what_is_promised_is_enough),
		cmocka_unit_test(test_blocks_are_written_before_a_commit_does),
		cmocka_unit_test(test_nothing_is_written_to_a_file_that_took_the_name),
		cmocka_unit_test(test_what_a_reader_sees_is_promised_to_nobody),
		cmocka_unit_test(test_a_full_store_takes_removals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
