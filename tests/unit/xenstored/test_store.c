/* SPDX-License-Identifier: MIT */
/*
 * test_store.c - what is kept: records, the journal, LMDB with a full map.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crc32c.h"
#include "files.h"
#include "harness.h"
#include "journal.h"
#include "record.h"
#include "ring_slot.h"
#include "store.h"

static char dir[64];

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/xs-store-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	return files_remove(dir);
}

static void test_checksum_is_the_standard_one(void **state)
{
	/* RFC 3720, B.4: 32 bytes of zeroes, 32 of ones, and the check string. */
	char zeroes[32] = { 0 }, ones[32];

	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(crc32c(0, zeroes, 32), 0x8a9136aau);
	assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43u);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
	assert_int_equal(crc32c_by_table(0, ones, 32), 0x62a8ab43u);
	assert_int_equal(crc32c_by_table(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

static void test_keys_come_back_and_sort_by_number(void **state)
{
	char small[RECORD_KEY_MAX], large[RECORD_KEY_MAX];
	enum record_kind kind;
	uint64_t a, b;
	size_t len = record_key(small, RECORD_NODE, 255, 0);

	record_key(large, RECORD_NODE, 256, 0);
	assert_true(memcmp(small, large, len) < 0);
	assert_int_equal(record_key_parse(small, len, &kind, &a, &b), 0);
	assert_int_equal(a, 255);
	len = record_key(small, RECORD_WATCH, 7, 1ull << 40);
	assert_int_equal(record_key_parse(small, len, &kind, &a, &b), 0);
	assert_int_equal(kind, RECORD_WATCH);
	assert_int_equal(a, 7);
	assert_true(b == 1ull << 40);
	assert_int_equal(record_key_parse(small, len - 1, &kind, &a, &b), -EBADMSG);
	assert_int_equal(record_key_parse("", 0, &kind, &a, &b), -EBADMSG);
	assert_int_equal(record_key_parse("?x", 2, &kind, &a, &b), -EBADMSG);
}

static void test_cut_or_lying_node_records_are_refused(void **state)
{
	struct tree t;
	struct node_record rec;
	struct xs_perm e = { 3, 1 };
	struct perms *p;
	struct node *n;
	char data[256];
	size_t len;

	assert_int_equal(tree_init(&t), 0);
	p = perms_get(&t.perms, &e, 1);
	n = node_alloc(&t, "name", 4, p, "value", 5);
	len = record_node_len(4, 5, 1);
	record_node_write(n, data);
	assert_int_equal(record_node_parse(data, len, &rec), 0);
	assert_memory_equal(rec.name, "name", 4);
	assert_memory_equal(rec.value, "value", 5);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(record_node_parse(data, cut, &rec), -EBADMSG);
	assert_int_equal(record_node_parse(data, len + 1, &rec), -EBADMSG);
	node_free(&t, n);
	perms_put(&t.perms, p);
	tree_fini(&t);
}

static int count_one(void *arg, const void *key, size_t key_len, const void *value,
		     size_t value_len)
{
	(*(unsigned int *)arg)++;
	return 0;
}

static void fill(struct store *s, unsigned int nr)
{
	char key[16], value[64];

	assert_int_equal(store_begin(s), 0);
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(key, sizeof(key), "k%06u", i);
		snprintf(value, sizeof(value), "value of %u, long enough to fill pages", i);
		assert_int_equal(store_put(s, key, 7, value, strlen(value)), 0);
	}
	assert_int_equal(store_commit(s), 0);
}

static void test_committed_records_are_there_again(void **state)
{
	unsigned int nr = 0;
	struct store *s;
	char value[64];

	assert_int_equal(store_open(dir, 1 << 20, true, &s), 0);
	fill(s, 100);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_del(s, "k000005", 7), 0);
	assert_int_equal(store_del(s, "missing", 7), 0);
	assert_int_equal(store_put(s, "x", 1, "gone", 4), 0);
	store_abort(s);
	store_close(s);

	assert_int_equal(store_open(dir, 1 << 20, true, &s), 0);
	assert_int_equal(store_walk(s, count_one, &nr), 0);
	assert_int_equal(nr, 100);
	assert_int_equal(store_get(s, "x", 1, value, sizeof(value)), -ENOENT);
	assert_true(store_get(s, "k000005", 7, value, sizeof(value)) > 0);
	store_close(s);
}

/* As one that an earlier version made: its commits carry no number. */
static void test_store_without_numbered_commits_is_taken_as_it_is(void **state)
{
	bool stepped_back = true;
	struct store *s;
	char value[8];

	for (unsigned int last = 1; last <= 2; last++) {
		assert_int_equal(store_open(dir, 1 << 20, false, &s), 0);
		for (unsigned int i = 0; i < last; i++) {
			assert_int_equal(store_begin(s), 0);
			assert_int_equal(store_put(s, "key", 3, &i, sizeof(i)), 0);
			assert_int_equal(store_commit(s), 0);
		}
		store_close(s);
		assert_int_equal(store_open_whole(dir, 1 << 20, &s, &stepped_back), 0);
		assert_false(stepped_back);
		assert_int_equal(store_get(s, "key", 3, value, sizeof(value)), sizeof(last));
		store_close(s);
	}
	/* From the first commit of this version on, it has them. */
	assert_int_equal(store_open_whole(dir, 1 << 20, &s, &stepped_back), 0);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_put(s, "more", 4, "x", 1), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	assert_int_equal(store_open_whole(dir, 1 << 20, &s, &stepped_back), 0);
	assert_false(stepped_back);
	store_close(s);
}

static void test_full_map_is_ENOSPC_and_the_store_stays_good(void **state)
{
	unsigned int nr = 0, i;
	struct store *s;
	char key[16], value[2000] = { 0 };
	int ret = 0;

	assert_int_equal(store_open(dir, 128 * 1024, true, &s), 0);
	for (i = 0; ret == 0; i++) {
		snprintf(key, sizeof(key), "k%06u", i);
		assert_int_equal(store_begin(s), 0);
		ret = store_put(s, key, 7, value, sizeof(value));
		if (ret == 0)
			ret = store_commit(s);
	}
	store_abort(s);
	assert_int_equal(ret, -ENOSPC);
	assert_int_equal(store_walk(s, count_one, &nr), 0);
	assert_int_equal(nr, i - 1);
	store_close(s);
}

/* --- journal --- */

static void put_text(struct journal *j, unsigned int env, const char *key, size_t value_len)
{
	assert_int_equal(journal_reserve(j, value_len + 64, false), 0);
	memset(journal_put(j, env, key, strlen(key), value_len), 'v', value_len);
}

static unsigned int frames_in(struct journal *j)
{
	struct journal_frame f;
	unsigned int nr = 0;

	for (unsigned int half = 0; half < JOURNAL_HALVES; half++) {
		size_t at = 0;

		while (journal_frame_at(j, half, at, &f) > 0) {
			struct journal_record r;
			size_t pos = 0;

			while (journal_record_at(&f, &pos, &r) > 0)
				nr += r.value_len > 0;
			at = f.next;
			journal_frame_done(&f);
		}
	}
	return nr;
}

static void test_published_frames_outlive_the_process(void **state)
{
	struct journal *j;
	bool fresh, persistent;

	j = journal_open(dir, 65536, "boot", &fresh);
	assert_true(fresh);
	put_text(j, JOURNAL_RUNTIME, "a", 10);
	assert_int_equal(journal_publish(j, &persistent), 1);
	assert_false(persistent);
	put_text(j, JOURNAL_PERSISTENT, "b", 10);
	put_text(j, JOURNAL_RUNTIME, "c", 10);
	assert_int_equal(journal_publish(j, &persistent), 2);
	assert_true(persistent);
	put_text(j, JOURNAL_RUNTIME, "never published", 10);
	journal_close(j);

	j = journal_open(dir, 65536, "boot", &fresh);
	assert_false(fresh);
	assert_int_equal(frames_in(j), 3);
	assert_int_equal(journal_next_seq(j), 3);
	journal_close(j);
	j = journal_open(dir, 65536, "another boot", &fresh);
	assert_true(fresh);
	assert_int_equal(frames_in(j), 0);
	journal_close(j);
}

/* A kill right behind the store that publishes the frame must not lose what it says. */
static void test_frame_that_voids_others_does_so_by_one_store(void **state)
{
	struct journal *j;
	bool fresh, persistent;

	j = journal_open(dir, 65536, "boot", &fresh);
	for (int i = 0; i < 3; i++) {
		put_text(j, JOURNAL_PERSISTENT, "p", 10);
		journal_publish(j, &persistent);
	}
	put_text(j, JOURNAL_RUNTIME, "undone", 10);
	journal_publish_void(j, 1);
	assert_int_equal(journal_void_upto(j), 3);
	/* As the header is when the kill comes before its own word is written. */
	journal_void(j, 0);
	journal_close(j);

	j = journal_open(dir, 65536, "boot", &fresh);
	assert_false(fresh);
	assert_int_equal(journal_void_upto(j), 3);
	assert_false(journal_frame_is_void(j, 1));
	assert_true(journal_frame_is_void(j, 2));
	assert_true(journal_frame_is_void(j, 3));
	assert_false(journal_frame_is_void(j, 4));
	assert_int_equal(frames_in(j), 4);
	journal_close(j);
}

static unsigned int filled;

static void note_filled(void *arg, unsigned int half)
{
	filled |= 1u << half;
}

static bool give_back_other(void *arg)
{
	struct journal *j = arg;

	if (!filled)
		return false;
	journal_give_back(j, filled & 1 ? 0 : 1);
	filled = 0;
	return true;
}

static void test_halves_take_turns_and_full_ones_refuse(void **state)
{
	struct journal_hooks hooks = { note_filled, give_back_other, NULL };
	struct journal *j;
	bool fresh, persistent;
	int ret = 0;

	filled = 0;
	j = journal_open(dir, 16384, "boot", &fresh);
	hooks.arg = j;
	journal_set_hooks(j, &hooks);
	for (int i = 0; i < 1000; i++) {
		put_text(j, JOURNAL_RUNTIME, "key", 200);
		journal_publish(j, &persistent);
	}
	hooks.wait = NULL;
	journal_set_hooks(j, &hooks);
	for (int i = 0; i < 1000 && ret == 0; i++) {
		ret = journal_reserve(j, 300, false);
		if (ret == 0)
			journal_put(j, JOURNAL_RUNTIME, "key", 3, 200);
		journal_publish(j, &persistent);
	}
	assert_int_equal(ret, -ENOSPC);
	/* Deletions still have the reserve. */
	assert_int_equal(journal_reserve(j, 100, true), 0);
	journal_del(j, JOURNAL_RUNTIME, "key", 3);
	assert_true(journal_publish(j, &persistent) > 0);
	journal_close(j);
}

static void test_frame_larger_than_a_half_gets_its_own_file(void **state)
{
	struct journal *j;
	bool fresh, persistent;

	j = journal_open(dir, 16384, "boot", &fresh);
	for (int i = 0; i < 100; i++)
		put_text(j, JOURNAL_RUNTIME, "key", 1000);
	assert_int_equal(journal_publish(j, &persistent), 1);
	put_text(j, JOURNAL_RUNTIME, "small", 10);
	assert_int_equal(journal_publish(j, &persistent), 2);
	journal_close(j);

	j = journal_open(dir, 16384, "boot", &fresh);
	assert_false(fresh);
	assert_int_equal(frames_in(j), 101);
	journal_give_back(j, 0);
	assert_int_equal(frames_in(j), 0);
	journal_close(j);
}

static struct journal *watched;
static unsigned int nr_unlinked;

/* In the C library's place: looks at the journal whenever the file of a frame goes. */
int unlink(const char *path)
{
	if (watched && strstr(path, "/frame-")) {
		nr_unlinked++;
		assert_int_equal(frames_in(watched), 0);
	}
	return (int)syscall(SYS_unlink, path);
}

/* A kill between the two would leave a journal that cannot be read. */
static void test_file_of_a_frame_goes_when_no_journal_names_it_any_more(void **state)
{
	bool fresh, persistent;
	char path[100];

	watched = journal_open(dir, 16384, "boot", &fresh);
	for (int frame = 0; frame < 2; frame++) {
		for (int i = 0; i < 100; i++)
			put_text(watched, JOURNAL_RUNTIME, "key", 1000);
		journal_publish(watched, &persistent);
	}
	nr_unlinked = 0;
	journal_give_back(watched, 0);
	assert_int_equal(nr_unlinked, 2);
	snprintf(path, sizeof(path), "%s/frame-2", dir);
	assert_int_equal(access(path, F_OK), -1);
	journal_close(watched);
	watched = NULL;
}

static void test_senseless_frames_are_refused(void **state)
{
	struct journal_frame f;
	struct journal *j;
	bool fresh, persistent;
	char path[100];
	uint32_t bad = 7;
	int fd;

	j = journal_open(dir, 16384, "boot", &fresh);
	put_text(j, JOURNAL_RUNTIME, "key", 100);
	journal_publish(j, &persistent);
	snprintf(path, sizeof(path), "%s/journal", dir);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, &bad, 4, 4096), 4);
	close(fd);
	assert_int_equal(journal_frame_at(j, 0, 0, &f), -EBADMSG);
	journal_close(j);
}

/* --- ring slots --- */

static void test_slot_state_switches_whole_and_belongs_to_one_life(void **state)
{
	struct ring_state st = { .msg_seq = 9, .in_cons = 100, .out_len = 3 };
	struct ring_slots *all;
	struct ring_slot slot;
	char path[100];
	bool found;

	snprintf(path, sizeof(path), "%s/rings", dir);
	all = ring_slots_open(path);
	assert_int_equal(ring_slot_get(all, 5, 42, &slot, &found), 0);
	assert_false(found);
	ring_slot_switch(&slot, &st);
	memcpy(ring_slot_out(&slot, 3), "abc", 3);
	memset(ring_slot_in(&slot, XS_WIRE_MSG_MAX), 'x', XS_WIRE_MSG_MAX);
	memset(ring_slot_out(&slot, SLOT_OUT_SIZE) + 3, 'y', SLOT_OUT_SIZE - 3);
	ring_slots_close(all);

	all = ring_slots_open(path);
	assert_int_equal(ring_slot_get(all, 5, 42, &slot, &found), 0);
	assert_true(found);
	assert_int_equal(ring_slot_state(&slot)->msg_seq, 9);
	assert_memory_equal(ring_slot_out(&slot, 3), "abc", 3);
	assert_int_equal(ring_slot_get(all, 5, 43, &slot, &found), 0);
	assert_false(found);
	ring_slot_drop(&slot);
	assert_int_equal(ring_slot_get(all, 5, 43, &slot, &found), 0);
	assert_false(found);
	ring_slots_close(all);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_checksum_is_the_standard_one),
		T(test_keys_come_back_and_sort_by_number),
		T(test_cut_or_lying_node_records_are_refused),
		T(test_committed_records_are_there_again),
		T(test_store_without_numbered_commits_is_taken_as_it_is),
		T(test_full_map_is_ENOSPC_and_the_store_stays_good),
		T(test_published_frames_outlive_the_process),
		T(test_frame_that_voids_others_does_so_by_one_store),
		T(test_halves_take_turns_and_full_ones_refuse),
		T(test_frame_larger_than_a_half_gets_its_own_file),
		T(test_file_of_a_frame_goes_when_no_journal_names_it_any_more),
		T(test_senseless_frames_are_refused),
		T(test_slot_state_switches_whole_and_belongs_to_one_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
