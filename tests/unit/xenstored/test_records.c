/* SPDX-License-Identifier: MIT */
/*
 * test_records.c - the bytes of keys, nodes and changes: what is written is read back, numbers
 * have the byte order that docs/store-format.md gives, sums are those of the standards, and of a
 * flipped bit nothing is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crc32c.h"
#include "storage/change_record.h"
#include "storage/checked.h"
#include "storage/packed_perms.h"
#include "storage/path_key.h"
#include "storage/sha256.h"
#include "storage/stored_node.h"

static void long_path(char *path, size_t len, char last)
{
	for (size_t i = 0; i < len; i++)
		path[i] = i % 32 == 0 ? '/' : 'a';
	path[len - 1] = last;
}

static void assert_hex(const unsigned char *data, size_t len, const char *hex)
{
	char text[3];

	for (size_t i = 0; i < len; i++) {
		snprintf(text, sizeof(text), "%02x", data[i]);
		assert_memory_equal(text, hex + 2 * i, 2);
	}
}

/* FIPS 180-4's examples, and lengths about the padding's edges against each other. */
static void test_sha256_is_the_standards(void **state)
{
	static const char million[1000000] = { [0 ... 999999] = 'a' };
	unsigned char out[SHA256_LEN];

	(void)state;
	sha256("abc", 3, out);
	assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, out);
	assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	sha256(million, sizeof(million), out);
	assert_hex(out, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/*
 * RFC 3720, B.4: 32 bytes of zeroes, 32 of ones, and the check string. With the instruction and
 * with the tables, because a file may go to a machine that has the other.
 */
static void test_checksum_is_the_standard_one(void **state)
{
	char zeroes[32] = { 0 }, ones[32];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(crc32c(0, zeroes, 32), 0x8a9136aau);
	assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43u);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
	assert_int_equal(crc32c_by_table(0, zeroes, 32), 0x8a9136aau);
	assert_int_equal(crc32c_by_table(0, ones, 32), 0x62a8ab43u);
	assert_int_equal(crc32c_by_table(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

static void test_both_checksums_agree_at_each_length_and_alignment(void **state)
{
	unsigned char data[80];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * i * 37 + i * 11);
	for (size_t at = 0; at < 8; at++) {
		for (size_t len = 0; at + len <= sizeof(data); len++)
			assert_int_equal(crc32c(7, data + at, len),
					 crc32c_by_table(7, data + at, len));
	}
}

static void test_a_short_path_is_its_own_key(void **state)
{
	unsigned char key[PATH_KEY_MAX];
	char path[PATH_KEY_MAX];

	(void)state;
	assert_int_equal(path_key("/a/b", 4, key), 4);
	assert_memory_equal(key, "/a/b", 4);
	assert_true(path_key_is_path(key, 4));
	long_path(path, sizeof(path), 'z');
	assert_int_equal(path_key(path, sizeof(path), key), PATH_KEY_MAX);
	assert_memory_equal(key, path, sizeof(path));
	assert_true(path_key_is_path(key, PATH_KEY_MAX));
}

static void test_long_paths_have_keys_of_their_own(void **state)
{
	unsigned char a[PATH_KEY_MAX], b[PATH_KEY_MAX];
	char path[3072];

	(void)state;
	for (size_t len = PATH_KEY_MAX + 1; len <= sizeof(path); len += 97) {
		long_path(path, len, 'x');
		assert_int_equal(path_key(path, len, a), PATH_KEY_MAX);
		assert_false(path_key_is_path(a, PATH_KEY_MAX));
		assert_memory_equal(a, path, PATH_KEY_HEAD);
		long_path(path, len, 'y');
		path_key(path, len, b);
		assert_memory_not_equal(a, b, PATH_KEY_MAX);
	}
}

/* Whatever the lengths, the key of what is below a path begins as path_key_below() says. */
static void test_keys_below_a_path_begin_alike(void **state)
{
	unsigned char below[PATH_KEY_MAX], key[PATH_KEY_MAX];
	char path[3072];

	(void)state;
	assert_int_equal(path_key_below("/", 1, below), 1);
	assert_memory_equal(below, "/", 1);
	assert_int_equal(path_key_below("/a", 2, below), 3);
	assert_memory_equal(below, "/a/", 3);
	for (size_t len = 2; len + 2 <= sizeof(path); len++) {
		size_t n, k;

		long_path(path, len, 'x');
		n = path_key_below(path, len, below);
		assert_true(n <= PATH_KEY_HEAD);
		memcpy(path + len, "/c", 2);
		k = path_key(path, len + 2, key);
		assert_true(k >= n);
		assert_memory_equal(key, below, n);
	}
}

static struct stored_node sample_node(const char *path, size_t len, const unsigned char *perms)
{
	return (struct stored_node){
		.rev = 0x0102030405060708, .made_rev = 0x1112131415161718,
		.made_index = 0x21222324, .mark = 3, .flags = 0x3132,
		.path = path, .path_len = (uint16_t)len, .perms = perms, .nr_perms = 2,
		.value = "hi", .value_len = 2,
	};
}

static void make_perms(unsigned char perms[2 * PACKED_PERM])
{
	packed_perm_put(perms, 0, &(struct xs_perm){ .domid = 0x4142, .access = 1 });
	packed_perm_put(perms, 1, &(struct xs_perm){ .domid = 7, .access = 3 });
}

static void test_a_nodes_bytes_are_the_formats(void **state)
{
	unsigned char perms[2 * PACKED_PERM], out[64];
	struct stored_node n;

	(void)state;
	make_perms(perms);
	n = sample_node("/a", 2, perms);
	assert_int_equal(stored_node_len(&n), 4 + 32 + 6 + 2);
	stored_node_write(&n, 'n', "/a", 2, out);
	assert_hex(out + 4, 40, "0807060504030201" "1817161514131211" "24232221" "03" "00" "3231"
		   "0200" "0000" "02000000" "424101" "070003" "6869");
}

static void check_node(const struct stored_node *a, const struct stored_node *b)
{
	assert_true(a->rev == b->rev && a->made_rev == b->made_rev);
	assert_true(a->made_index == b->made_index && a->mark == b->mark && a->flags == b->flags);
	assert_int_equal(a->path_len, b->path_len);
	assert_memory_equal(a->path, b->path, b->path_len);
	assert_int_equal(a->nr_perms, b->nr_perms);
	assert_memory_equal(a->perms, b->perms, b->nr_perms * PACKED_PERM);
	assert_int_equal(a->value_len, b->value_len);
	assert_memory_equal(a->value, b->value, b->value_len);
}

static void test_a_node_is_read_as_it_was_written(void **state)
{
	static const size_t lens[] = { 1, 2, PATH_KEY_MAX - 1, PATH_KEY_MAX, PATH_KEY_MAX + 1, 3072 };
	unsigned char perms[2 * PACKED_PERM], key[PATH_KEY_MAX + 8];
	struct stored_node n, back;
	char path[3072], out[4096];

	(void)state;
	make_perms(perms);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t key_len, len;

		long_path(path, lens[i], lens[i] == 1 ? '/' : 'x');
		key_len = path_key(path, lens[i], key);
		memset(key + key_len, 9, 8);
		n = sample_node(path, lens[i], perms);
		len = stored_node_len(&n);
		stored_node_write(&n, 'p', key, key_len + 8, out);
		assert_int_equal(stored_node_read('p', key, key_len + 8, key_len, out, len, &back), 0);
		check_node(&back, &n);
		/* Another database, another key, another length: not this record. */
		assert_int_equal(stored_node_read('n', key, key_len + 8, key_len, out, len, &back),
				 -EBADMSG);
		assert_int_equal(stored_node_read('p', key, key_len, key_len, out, len, &back),
				 -EBADMSG);
		assert_int_equal(stored_node_read('p', key, key_len + 8, key_len, out, len - 1, &back),
				 -EBADMSG);
	}
}

static void test_no_flipped_bit_of_a_node_is_believed(void **state)
{
	unsigned char perms[2 * PACKED_PERM];
	struct stored_node n, back;
	unsigned char out[64];
	size_t len;

	(void)state;
	make_perms(perms);
	n = sample_node("/a", 2, perms);
	len = stored_node_len(&n);
	stored_node_write(&n, 'n', "/a", 2, out);
	for (size_t bit = 0; bit < len * 8; bit++) {
		out[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_int_equal(stored_node_read('n', "/a", 2, 2, out, len, &back), -EBADMSG);
		out[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_int_equal(stored_node_read('n', "/a", 2, 2, out, len, &back), 0);
}

/* A sum that is right does not make a record right: whoever wrote it may be another program. */
static void test_senseless_nodes_are_refused_though_the_sum_is_right(void **state)
{
	unsigned char perms[2 * PACKED_PERM], out[64], bad[64];
	struct stored_node n, back;
	size_t len;

	(void)state;
	make_perms(perms);
	n = sample_node("/a", 2, perms);
	len = stored_node_len(&n);
	stored_node_write(&n, 'n', "/a", 2, out);
	for (size_t i = CHECKED_HEAD + 24; i < CHECKED_HEAD + 32; i++) {
		memcpy(bad, out, sizeof(bad));
		bad[i] ^= 0x55;
		checked_seal('n', "/a", 2, bad, len);
		assert_int_equal(stored_node_read('n', "/a", 2, 2, bad, len, &back), -EBADMSG);
	}
	stored_node_write(&n, 'n', "/a/", 3, out);
	assert_int_equal(stored_node_read('n', "/a/", 3, 3, out, len, &back), -EBADMSG);
	assert_int_equal(stored_node_read('n', "/a", 2, 5, out, len, &back), -EBADMSG);
}

/* More rights, or a longer value, than any request can bring: nobody has room for them. */
static void test_nodes_that_nobody_can_have_made_are_refused(void **state)
{
	static unsigned char perms[65536 * PACKED_PERM], out[sizeof(perms) + 8192];
	static char value[XENSTORE_PAYLOAD_MAX + 1];
	static const struct {
		uint16_t nr_perms;
		uint32_t value_len;
		int ret;
	} t[] = {
		{ 1365, XENSTORE_PAYLOAD_MAX, 0 },
		{ 1366, 1, -EBADMSG },
		{ 65535, 1, -EBADMSG },
		{ 1, XENSTORE_PAYLOAD_MAX + 1, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned char key[CHANGE_KEY];
		struct stored_node n = sample_node("/a", 2, perms), back;
		struct change c = { .op = CHANGE_PUT, .path = "/a", .path_len = 2, .perms = perms,
				    .nr_perms = t[i].nr_perms, .value = value,
				    .value_len = t[i].value_len }, read;

		n.nr_perms = t[i].nr_perms;
		n.value = value;
		n.value_len = t[i].value_len;
		stored_node_write(&n, 'n', "/a", 2, out);
		assert_int_equal(stored_node_read('n', "/a", 2, 2, out, stored_node_len(&n), &back),
				 t[i].ret);
		change_key(key, 1, 0);
		change_write(&c, key, out);
		assert_int_equal(change_read(key, out, change_len(&c), &read), t[i].ret);
	}
}

static struct change sample_change(const unsigned char *perms)
{
	return (struct change){
		.op = CHANGE_PUT, .mark = 5, .flags = 0x0102, .time_ns = 0x1112131415161718,
		.prev = 41, .who = { .domid = 0x2122, .uid = 1000, .pid = 77, .program = "xm" },
		.path = "/config/a", .path_len = 9, .perms = perms, .nr_perms = 2,
		.value = "v", .value_len = 1,
	};
}

static void test_a_change_is_read_as_it_was_written(void **state)
{
	unsigned char perms[2 * PACKED_PERM], key[CHANGE_KEY], out[128];
	struct change c, back;
	uint32_t index;
	uint64_t rev;

	(void)state;
	make_perms(perms);
	c = sample_change(perms);
	change_key(key, 0x42, 3);
	assert_hex(key, CHANGE_KEY, "000000000000004200000003");
	assert_int_equal(change_key_read(key, CHANGE_KEY, &rev, &index), 0);
	assert_true(rev == 0x42 && index == 3);
	change_write(&c, key, out);
	assert_hex(out + 4, 39, "01" "05" "0201" "1817161514131211" "2900000000000000" "2221"
		   "e8030000" "4d000000" "0200" "0900" "01000000" "02");
	assert_int_equal(change_read(key, out, change_len(&c), &back), 0);
	assert_true(back.op == c.op && back.mark == c.mark && back.flags == c.flags);
	assert_true(back.time_ns == c.time_ns && back.prev == c.prev);
	assert_true(back.who.domid == c.who.domid && back.who.uid == 1000 && back.who.pid == 77);
	assert_string_equal(back.who.program, "xm");
	assert_int_equal(back.path_len, 9);
	assert_memory_equal(back.path, "/config/a", 9);
	assert_int_equal(back.nr_perms, 2);
	assert_memory_equal(back.perms, perms, sizeof(perms));
	assert_int_equal(back.value_len, 1);
	assert_memory_equal(back.value, "v", 1);
}

static void test_no_flipped_bit_of_a_change_is_believed(void **state)
{
	unsigned char perms[2 * PACKED_PERM], key[CHANGE_KEY], out[128];
	struct change c, back;

	(void)state;
	make_perms(perms);
	c = sample_change(perms);
	change_key(key, 0x42, 3);
	change_write(&c, key, out);
	for (size_t bit = 0; bit < change_len(&c) * 8; bit++) {
		out[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_int_equal(change_read(key, out, change_len(&c), &back), -EBADMSG);
		out[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	key[7] = 0x43;
	assert_int_equal(change_read(key, out, change_len(&c), &back), -EBADMSG);
}

static void test_senseless_changes_are_refused_though_the_sum_is_right(void **state)
{
	unsigned char perms[2 * PACKED_PERM], key[CHANGE_KEY], out[128], bad[128];
	struct change c, back;
	size_t len;

	(void)state;
	make_perms(perms);
	c = sample_change(perms);
	change_key(key, 1, 0);
	change_write(&c, key, out);
	len = change_len(&c);
	/* The operation, then all lengths. */
	for (size_t i = CHECKED_HEAD; i < CHECKED_HEAD + 39; i += i == CHECKED_HEAD ? 30 : 1) {
		memcpy(bad, out, sizeof(bad));
		bad[i] ^= 0x5a;
		checked_seal(CHANGE_DB, key, CHANGE_KEY, bad, len);
		assert_int_equal(change_read(key, bad, len, &back), -EBADMSG);
	}
	c.path = "/config//";
	change_write(&c, key, out);
	assert_int_equal(change_read(key, out, len, &back), -EBADMSG);
	c.path = "/config/a";
	c.op = CHANGE_REMOVE;
	change_write(&c, key, out);
	assert_int_equal(change_read(key, out, len, &back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_is_the_standards),
		cmocka_unit_test(test_checksum_is_the_standard_one),
		cmocka_unit_test(test_both_checksums_agree_at_each_length_and_alignment),
		cmocka_unit_test(test_a_short_path_is_its_own_key),
		cmocka_unit_test(test_long_paths_have_keys_of_their_own),
		cmocka_unit_test(test_keys_below_a_path_begin_alike),
		cmocka_unit_test(test_a_nodes_bytes_are_the_formats),
		cmocka_unit_test(test_a_node_is_read_as_it_was_written),
		cmocka_unit_test(test_no_flipped_bit_of_a_node_is_believed),
		cmocka_unit_test(test_senseless_nodes_are_refused_though_the_sum_is_right),
		cmocka_unit_test(test_nodes_that_nobody_can_have_made_are_refused),
		cmocka_unit_test(test_a_change_is_read_as_it_was_written),
		cmocka_unit_test(test_no_flipped_bit_of_a_change_is_believed),
		cmocka_unit_test(test_senseless_changes_are_refused_though_the_sum_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
