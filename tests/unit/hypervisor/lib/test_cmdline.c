/* SPDX-License-Identifier: MIT */
/* test_cmdline.c - words, values and sizes of a boot command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/cmdline.h"

static void test_words_are_split_at_any_blank(void **state)
{
	const char *line = "  a=1\tbb \n c ";
	char word[8];

	assert_true(cmdline_next(&line, word, sizeof(word)));
	assert_string_equal(word, "a=1");
	assert_true(cmdline_next(&line, word, sizeof(word)));
	assert_string_equal(word, "bb");
	assert_true(cmdline_next(&line, word, sizeof(word)));
	assert_string_equal(word, "c");
	assert_false(cmdline_next(&line, word, sizeof(word)));
}

static void test_a_long_word_is_cut_and_the_next_one_is_whole(void **state)
{
	const char *line = "abcdefghij next";
	char word[5];

	assert_true(cmdline_next(&line, word, sizeof(word)));
	assert_string_equal(word, "abcd");
	assert_true(cmdline_next(&line, word, sizeof(word)));
	assert_string_equal(word, "next");
}

static void test_a_value_belongs_to_its_whole_name_only(void **state)
{
	assert_string_equal(cmdline_value("com1=9600", "com1"), "9600");
	assert_string_equal(cmdline_value("noreboot", "noreboot"), "");
	assert_null(cmdline_value("dom0_mem_x=1", "dom0_mem"));
	assert_null(cmdline_value("com", "com1"));
}

static void test_sizes_take_every_suffix(void **state)
{
	static const struct {
		const char *text;
		u64 bytes;
	} rows[] = {
		{ "512", 512ULL << 10 },	{ "7B", 7 },	    { "512M", 512ULL << 20 },
		{ "2g", 2ULL << 30 },	{ "1T", 1ULL << 40 }, { "64k,max:1G", 64ULL << 10 },
		{ "0x10M", 16ULL << 20 },
	};
	u64 got;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(cmdline_size(rows[i].text, &got));
		assert_int_equal(got, rows[i].bytes);
	}
}

static void test_what_is_not_a_size_is_refused(void **state)
{
	static const char *const bad[] = { "", "M", "12Q", "12MB", "-1M", "99999999999999T" };
	u64 got = 42;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(cmdline_size(bad[i], &got));
	assert_int_equal(got, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_split_at_any_blank),
		cmocka_unit_test(test_a_long_word_is_cut_and_the_next_one_is_whole),
		cmocka_unit_test(test_a_value_belongs_to_its_whole_name_only),
		cmocka_unit_test(test_sizes_take_every_suffix),
		cmocka_unit_test(test_what_is_not_a_size_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
