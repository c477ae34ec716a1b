/* SPDX-License-Identifier: MIT */
/*
 * test_text.c - what xs does to text: escapes, patterns, the memory of a watch, JSON values.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "glob.h"
#include "json_out.h"
#include "text.h"
#include "watch_state.h"

static void escapes_to(const char *in, size_t len, const char *want)
{
	char *out = text_escape(in, len);

	assert_string_equal(out, want);
	free(out);
}

static void test_no_control_byte_reaches_the_terminal(void **state)
{
	escapes_to("a\nb\tc\rd\\", 8, "a\\nb\\tc\\rd\\\\");
	escapes_to("\0\x1b[2J\x7f", 6, "\\x00\\x1b[2J\\x7f");
	escapes_to("\xc2\x9b" "31m", 5, "\\xc2\\x9b31m"); /* a control character in UTF-8 */
}

static void test_valid_utf8_is_kept_and_anything_else_is_escaped(void **state)
{
	escapes_to("gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x98\x80", 14, "grün € 😀");
	escapes_to("\xff\xc3(\xe2\x82", 5, "\\xff\\xc3(\\xe2\\x82");
	escapes_to("\xc0\xaf", 2, "\\xc0\\xaf");         /* overlong */
	escapes_to("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* half of a surrogate pair */
	escapes_to("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
}

static void test_what_is_text_goes_into_json_as_it_is(void **state)
{
	assert_true(text_is_text("a\nb", 3));
	assert_true(text_is_text("", 0));
	assert_false(text_is_text("a\0b", 3));
	assert_false(text_is_text("\x1b", 1));
	assert_false(text_is_text("\xff", 1));
}

static void test_the_escapes_of_the_original_tools_are_undone(void **state)
{
	static const char bytes[] = "a\\b\tc\nd\re\x01\x07\x08\x7f\x80\xff";
	char *text = text_escape_xenstore(bytes, sizeof(bytes));

	assert_int_equal(text_unescape_xenstore(text), sizeof(bytes));
	assert_memory_equal(text, bytes, sizeof(bytes));
	free(text);
}

static void test_every_byte_survives_the_round_trip(void **state)
{
	char all[256], *text;

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	text = text_escape_xenstore(all, 256);
	assert_int_equal(text_unescape_xenstore(text), 256);
	assert_memory_equal(text, all, 256);
	free(text);
}

static void test_a_star_stays_within_one_name(void **state)
{
	assert_true(glob_match("/a/*/c", "/a/b/c"));
	assert_false(glob_match("/a/*/c", "/a/b/x/c"));
	assert_true(glob_match("/a/b*d", "/a/bcd"));
	assert_true(glob_match("/a/*b*d*", "/a/xbyd"));
	assert_false(glob_match("/a/*", "/a"));
	assert_true(glob_match("/a/?", "/a/b"));
	assert_false(glob_match("/a/?", "/a/bc"));
	assert_true(glob_match("/a", "/a"));
	assert_false(glob_match("/a", "/ab"));
}

static void test_two_stars_take_any_number_of_names(void **state)
{
	assert_true(glob_match("/**", "/a/b/c"));
	assert_true(glob_match("/a/**/d", "/a/b/c/d"));
	assert_true(glob_match("/a/**/d", "/a/d"));
	assert_true(glob_match("/**/state", "/local/domain/0/state"));
	assert_false(glob_match("/**/state", "/local/domain/0/other"));
	assert_true(glob_match("/**/x/*", "/x/x/x/y"));
}

static void test_the_search_begins_below_the_part_without_stars(void **state)
{
	assert_int_equal(glob_base_len("/a/b"), 4);
	assert_int_equal(glob_base_len("/a/b*"), 2);
	assert_int_equal(glob_base_len("/*"), 1);
	assert_int_equal(glob_base_len("/a/*/c"), 2);
}

static void gone(void *arg, struct seen *s)
{
	seen_remove(arg, s);
}

static void test_the_memory_of_a_watch_keeps_thousands_of_paths(void **state)
{
	struct seen_map m = { 0 };
	char path[32];
	bool fresh;

	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/a/%d", i);
		seen_set(seen_put(&m, path, &fresh), path, strlen(path), NULL, 0);
		assert_true(fresh);
	}
	seen_put(&m, "/b", &fresh);
	assert_string_equal(seen_find(&m, "/a/4711")->value, "/a/4711");
	seen_put(&m, "/a/4711", &fresh);
	assert_false(fresh);
	seen_below(&m, "/a", gone, &m);
	assert_int_equal(m.nr, 1);
	assert_null(seen_find(&m, "/a/4711"));
	assert_non_null(seen_find(&m, "/b"));
	seen_clear(&m);
}

static void test_below_is_by_whole_names(void **state)
{
	assert_true(path_is_below("/a", "/a"));
	assert_true(path_is_below("/a", "/a/b"));
	assert_false(path_is_below("/a", "/ab"));
	assert_true(path_is_below("/", "/ab"));
}

static void test_bytes_survive_json(void **state)
{
	for (size_t len = 0; len < 64; len++) {
		char bytes[64], *back;
		size_t back_len;
		json_t *v;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(i * 37 + len);
		v = json_value(bytes, len);
		back = json_bytes(v, &back_len);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, bytes, len);
		free(back);
		json_decref(v);
	}
}

static void test_bad_base64_is_refused(void **state)
{
	static const char *const bad[] = { "A", "AA", "AAA", "A===", "#AAA", "=AAA", "AA=A" };
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *v = json_pack("{s:s}", "@b64", bad[i]);

		assert_null(json_bytes(v, &len));
		json_decref(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_control_byte_reaches_the_terminal),
		cmocka_unit_test(test_valid_utf8_is_kept_and_anything_else_is_escaped),
		cmocka_unit_test(test_what_is_text_goes_into_json_as_it_is),
		cmocka_unit_test(test_the_escapes_of_the_original_tools_are_undone),
		cmocka_unit_test(test_every_byte_survives_the_round_trip),
		cmocka_unit_test(test_a_star_stays_within_one_name),
		cmocka_unit_test(test_two_stars_take_any_number_of_names),
		cmocka_unit_test(test_the_search_begins_below_the_part_without_stars),
		cmocka_unit_test(test_the_memory_of_a_watch_keeps_thousands_of_paths),
		cmocka_unit_test(test_below_is_by_whole_names),
		cmocka_unit_test(test_bytes_survive_json),
		cmocka_unit_test(test_bad_base64_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
