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
#include "name.h"
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

/* ---- names ---- */

/* Any name is one in the store, and comes back; what is legal there is itself. */
static void test_names_go_into_the_store_and_back(void **state)
{
	static const struct {
		const char *name, *kept;
	} pairs[] = {
		{ "plain-1_x", "plain-1_x" }, { "shop.example.org", "shop@2eexample@2eorg" },
		{ "", "@00" }, { "a b/c", "a@20b@2fc" }, { "user@host", "user@host" },
		{ "user@20minutes", "user@4020minutes" }, { "@", "@" }, { "@40", "@40" },
		{ "@4020", "@404020" }, { "@00", "@4000" }, { "x@00", "x@00" }, { "ü", "@c3@bc" },
		{ "\n", "@0a" }, { "@@2e", "@@402e" }, { "@2E", "@2E" }, { "@41", "@41" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *kept = name_encode(pairs[i].name), *back = name_decode(kept);

		assert_string_equal(kept, pairs[i].kept);
		assert_string_equal(back, pairs[i].name);
		free(kept);
		free(back);
	}
}

/* @max random bytes of @from, ended by NUL. */
static void random_name(const char *from, char *out, size_t max)
{
	size_t len = (size_t)rand() % max;

	for (size_t i = 0; i < len; i++)
		out[i] = from[(size_t)rand() % strlen(from)];
	out[len] = '\0';
}

static void test_names_of_any_kind(void **state)
{
	char name[16];

	(void)state;
	srand(7);
	for (int i = 0; i < 20000; i++) {
		char *kept, *back, *again;

		random_name("@@@@0042aefx. /", name, sizeof(name));
		kept = name_encode(name);
		back = name_decode(kept);
		assert_string_equal(back, name);
		assert_int_equal(strspn(kept, "@0123456789abcdefx"), strlen(kept));
		free(kept);
		free(back);
		/* and from the other side */
		random_name("@@@@0042aefx@", name, sizeof(name) - 1);
		strcat(name, "x");
		back = name_decode(name);
		again = back ? name_encode(back) : strdup(name);
		assert_string_equal(again, name);
		free(back);
		free(again);
	}
}

/* What is shown of a path is that path when it is typed. */
static void test_paths_that_are_shown_can_be_typed(void **state)
{
	static const struct {
		const char *path, *shown;
	} pairs[] = {
		{ "/a/shop@2eexample", "/a/shop.example" }, { "/a@2fb@2ac@3d", "/a@2fb@2ac@3d" },
		{ "/@c3@bc@20x", "/\xc3\xbc x" }, { "/@1b@5bm", "/@1b[m" }, { "/@c3x", "/@c3x" },
		{ "/@c2@9b", "/@c2@9b" }, { "/x@4020", "/x@4020" }, { "/@5c", "/@5c" },
		{ "/@ff@00", "/@ff@00" },
	};
	char name[16];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *shown = name_shown(pairs[i].path);

		assert_string_equal(shown, pairs[i].shown);
		free(shown);
	}
	for (int i = 0; i < 20000; i++) {
		char *shown, *typed;

		random_name("@@@@@22cefb3x/", name, sizeof(name));
		shown = name_shown(name);
		typed = name_typed(shown);
		assert_string_equal(typed, name);
		free(shown);
		free(typed);
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
		cmocka_unit_test(test_names_go_into_the_store_and_back),
		cmocka_unit_test(test_names_of_any_kind),
		cmocka_unit_test(test_paths_that_are_shown_can_be_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
