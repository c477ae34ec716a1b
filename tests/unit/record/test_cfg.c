/* SPDX-License-Identifier: MIT */
/*
 * test_cfg.c - claims about the syntax of configuration files.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cfg.h"
#include "heard.h"

static struct cfg cfg;

static int reset(void **state)
{
	(void)state;
	cfg_fini(&cfg);
	heard_reset();
	return 0;
}

static int parse(const char *text)
{
	return cfg_parse(&cfg, "web.cfg", text, strlen(text), &heard_report);
}

static const struct cfg_value *value(const char *key)
{
	const struct cfg_setting *s = cfg_find(&cfg, key);

	assert_non_null(s);
	return &s->value;
}

static void refused(const char *text, const char *message)
{
	cfg_fini(&cfg);
	heard_reset();
	assert_int_equal(parse(text), -EINVAL);
	heard_is_wrong(text, message);
}

static void test_strings_numbers_and_lists_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse("name = 'web'\nmemory=128\nhex = 0x10\noct = 010\nneg = -3\n"
			       "disk = [ 'a', \"b\", [1, 2] ]\n"),
			 0);

	assert_string_equal(value("name")->text, "web");
	assert_int_equal(value("memory")->num, 128);
	assert_int_equal(value("hex")->num, 16);
	assert_int_equal(value("oct")->num, 8);
	assert_int_equal(value("neg")->num, -3);
	assert_int_equal(value("disk")->type, CFG_LIST);
	assert_int_equal(value("disk")->nr_items, 3);
	assert_string_equal(value("disk")->items[1].text, "b");
	assert_int_equal(value("disk")->items[2].items[1].num, 2);
}

static void test_what_pythons_users_wrote_is_read(void **state)
{
	(void)state;
	assert_int_equal(
		parse("# -*- mode: python; -*-\n#====\nkernel = \"/boot/vmlinuz\"  # a kernel\n"
		      "disk = [ 'file:/x,xvda,w',\n         'phy:y,xvdb,r', ]\n"
		      "vif = [ '' ]\nvcpus = \\\n 2\nflag = True; other = False\nnone = None\n"
		      "tuple = ('a',)\n"),
		0);

	assert_string_equal(value("kernel")->text, "/boot/vmlinuz");
	assert_int_equal(value("disk")->nr_items, 2);
	assert_int_equal(value("vcpus")->num, 2);
	assert_int_equal(value("flag")->num, 1);
	assert_int_equal(value("other")->num, 0);
	assert_int_equal(value("none")->type, CFG_NONE);
	assert_int_equal(value("tuple")->nr_items, 1);
}

static void test_line_ends_of_windows_and_a_byte_order_mark_do_not_matter(void **state)
{
	(void)state;
	assert_int_equal(parse("\xef\xbb\xbfname = 'web'\r\nvcpus = \\\r\n 2\r\n"
			       "extra = 'two \\\r\nwords'\r\nc = \"\"\"three\r\nlines\"\"\"\r\n"),
			 0);

	assert_string_equal(value("name")->text, "web");
	assert_int_equal(value("vcpus")->num, 2);
	assert_string_equal(value("extra")->text, "two words");
	assert_string_equal(value("c")->text, "three\nlines");
	refused("a = 'x\r\nb = 1\r\n", "web.cfg:1:5: a: the string that opens here is not closed");
	refused("a = 'x\ry'\n", "web.cfg:1:7: a: byte 0x0d cannot stand in a string");
}

/* As Python joins them, over continued lines, too; in a list that is a comma that was forgotten. */
static void test_strings_behind_one_another_are_one(void **state)
{
	(void)state;
	assert_int_equal(parse("extra = 'root=/dev/xvda1 ' \\\n\t\"ro \" 'quiet' # so\nb = 'x''y'; c = ''\"z\"\n"), 0);
	assert_string_equal(value("extra")->text, "root=/dev/xvda1 ro quiet");
	assert_string_equal(value("b")->text, "xy");
	assert_string_equal(value("c")->text, "z");
	refused("disk = [ 'a' 'b' ]", "web.cfg:1:14: disk: ',' or ']' is missing before");
	refused("a = 'x' 'y", "web.cfg:1:9: a: the string that opens here is not closed");
	refused("a = 'x' 2", "web.cfg:1:9: a: '2' after the value");
	refused("a = 'x'\n'y'\n", "web.cfg:2:1: a line must be KEY = VALUE");
}

static void test_escapes_in_strings_are_undone(void **state)
{
	(void)state;
	assert_int_equal(parse("a = 'it\\'s'\nb = \"tab\\t\\x41\\101\\\\\"\nc = 'two \\\nlines'\n"
			       "d = '''three\nlines'''\n"),
			 0);

	assert_string_equal(value("a")->text, "it's");
	assert_string_equal(value("b")->text, "tab\tAA\\");
	assert_string_equal(value("c")->text, "two lines");
	assert_string_equal(value("d")->text, "three\nlines");
}

static void test_plus_equals_appends(void **state)
{
	(void)state;
	assert_int_equal(parse("extra = 'a'\nextra += ' b'\ndisk = ['x']\ndisk += ['y', 'z']\n"),
			 0);
	assert_string_equal(value("extra")->text, "a b");
	assert_int_equal(value("disk")->nr_items, 3);

	refused("a = 'x'\na += 3\n", "web.cfg:2:6: a: += joins a string to a string");
}

static void test_the_last_of_two_values_wins_and_the_first_line_is_remembered(void **state)
{
	(void)state;
	assert_int_equal(parse("memory = 1\n\nmemory = 2\n"), 0);

	assert_int_equal(value("memory")->num, 2);
	assert_int_equal(cfg_find(&cfg, "memory")->shadowed_line, 1);
}

static void test_an_error_names_file_line_column_and_key(void **state)
{
	(void)state;
	refused("name = 'web'\nmemory = \n",
		"web.cfg:2:10: memory: a value is missing before the end");
	refused("name = 'web\n", "web.cfg:1:8: name: the string that opens here is not closed");
	refused("disk = [ 'a' 'b' ]", "web.cfg:1:14: disk: ',' or ']' is missing before '''");
	refused("disk = [ 'a',\n", "web.cfg:1:8: disk: the list that opens here is not closed");
	refused("a = '\\q'", "web.cfg:1:6: a: unknown escape");
	refused("memory = 12x", "web.cfg:1:10: memory: '12x' is not a whole number");
	refused("memory = 99999999999999999999", "is not a whole number");
	refused("name 'web'", "web.cfg:1:6: name: '=' is missing before '''");
	refused("= 3", "a line must be KEY = VALUE, not start with '='");
	refused("a = 1 b = 2", "web.cfg:1:7: a: 'b' after the value; one setting a line");
	refused("a = 'b\001'", "byte 0x01 cannot stand in a string");
}

static void test_a_word_without_quotes_is_answered_with_the_quoted_one(void **state)
{
	(void)state;
	refused("name = web", "put text in quotes (name = 'web')");
}

static void test_python_code_is_refused_as_what_it_is(void **state)
{
	(void)state;
	refused("import os\n", "web.cfg:1:1: 'import' is Python code, which is not run");
	refused("if x: y = 1\n", "'if' is Python code");
	refused("a = 'b' + 'c'\n", "'+' starts an expression: only literal values are read");
	refused("a = 'b%d' % 3\n", "'%' starts an expression");
	refused("a = os.getpid()\n", "'os' is not a literal");
}

static void test_lists_nest_eight_deep_and_no_deeper(void **state)
{
	(void)state;
	assert_int_equal(parse("a = [[[[[[[[1]]]]]]]]"), 0);
	refused("a = [[[[[[[[[1]]]]]]]]]", "go 8 deep at most");
}

static void test_a_file_over_the_limit_is_refused(void **state)
{
	char *text = calloc(1, CFG_TEXT_MAX + 2);

	(void)state;
	memset(text, '\n', CFG_TEXT_MAX + 1);
	assert_int_equal(cfg_parse(&cfg, "big", text, CFG_TEXT_MAX + 1, &heard_report), -E2BIG);
	assert_non_null(strstr(heard_wrong, "too many for a configuration"));
	free(text);
}

static void test_words_of_the_command_line_override_the_file(void **state)
{
	(void)state;
	assert_int_equal(parse("name = 'a'\nmemory = 1\n"), 0);

	assert_int_equal(cfg_override(&cfg, "name=web-1", &heard_report), 0);
	assert_int_equal(cfg_override(&cfg, "memory=64", &heard_report), 0);
	assert_int_equal(cfg_override(&cfg, "extra='a b'", &heard_report), 0);
	assert_int_equal(cfg_override(&cfg, "disk=[ 'x' ]", &heard_report), 0);
	assert_int_equal(cfg_override(&cfg, "uuid=12345678-1234-1234-1234-123456789abc",
				      &heard_report), 0);
	assert_int_equal(cfg_override(&cfg, "root=/dev/xvda ro", &heard_report), 0);

	assert_string_equal(value("name")->text, "web-1");
	assert_int_equal(value("memory")->num, 64);
	assert_string_equal(value("extra")->text, "a b");
	assert_int_equal(value("disk")->nr_items, 1);
	assert_string_equal(value("uuid")->text, "12345678-1234-1234-1234-123456789abc");
	assert_string_equal(value("root")->text, "/dev/xvda ro");
	assert_int_equal(cfg_find(&cfg, "name")->shadowed_line, 0);
}

static void test_a_bad_word_of_the_command_line_is_quoted_in_the_error(void **state)
{
	(void)state;
	assert_int_equal(cfg_override(&cfg, "noequals", &heard_report), -EINVAL);
	assert_string_equal(heard_wrong, "'noequals' on the command line: expected KEY=VALUE\n");
	assert_int_equal(cfg_override(&cfg, "disk=['a'", &heard_report), -EINVAL);
	assert_non_null(strstr(heard_wrong, "'disk=['a'' on the command line: disk: the list"));
}

/* A small generator with a fixed seed: the same bytes on every run. */
static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void upset(const char *seedtext, uint32_t seed)
{
	static const char alphabet[] = "'\"[](),=+#\\\n\t ;0x9aN.\0\x80\xff";
	char text[256];

	for (int round = 0; round < 10000; round++) {
		size_t len = 1 + next(&seed) % strlen(seedtext);

		memcpy(text, seedtext, len);
		for (uint32_t n = next(&seed) % 6; n; n--)
			text[next(&seed) % len] = alphabet[next(&seed) % (sizeof(alphabet) - 1)];
		heard_reset();
		if (cfg_parse(&cfg, "fuzz", text, len, &heard_report) < 0)
			assert_true(strlen(heard_wrong) > 0);
		cfg_fini(&cfg);
	}
}

static void test_no_bytes_whatsoever_upset_the_parser(void **state)
{
	(void)state;
	upset("name = 'web'\ndisk = [ 'a', \"b\\x41\", (1, [None]) ]\nx += '''q'''; y = -0x12 # "
	      "c\n\\\n",
	      1);
	upset("(vm (name 'web') (image (linux (kernel /k) (args \"a b\")))(device (vbd (uname x)"
	      "(dev y)))(device (vif (mac 1)))(n 0x1)(cpus ()))",
	      2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_strings_numbers_and_lists_are_read, reset),
		cmocka_unit_test_teardown(test_what_pythons_users_wrote_is_read, reset),
		cmocka_unit_test_teardown(
			test_line_ends_of_windows_and_a_byte_order_mark_do_not_matter, reset),
		cmocka_unit_test_teardown(test_strings_behind_one_another_are_one, reset),
		cmocka_unit_test_teardown(test_escapes_in_strings_are_undone, reset),
		cmocka_unit_test_teardown(test_plus_equals_appends, reset),
		cmocka_unit_test_teardown(
			test_the_last_of_two_values_wins_and_the_first_line_is_remembered, reset),
		cmocka_unit_test_teardown(test_an_error_names_file_line_column_and_key, reset),
		cmocka_unit_test_teardown(
			test_a_word_without_quotes_is_answered_with_the_quoted_one, reset),
		cmocka_unit_test_teardown(test_python_code_is_refused_as_what_it_is, reset),
		cmocka_unit_test_teardown(test_lists_nest_eight_deep_and_no_deeper, reset),
		cmocka_unit_test_teardown(test_a_file_over_the_limit_is_refused, reset),
		cmocka_unit_test_teardown(test_words_of_the_command_line_override_the_file, reset),
		cmocka_unit_test_teardown(
			test_a_bad_word_of_the_command_line_is_quoted_in_the_error, reset),
		cmocka_unit_test_teardown(test_no_bytes_whatsoever_upset_the_parser, reset),
	};

	return cmocka_run_group_tests_name("xm: configuration syntax", tests, NULL, NULL);
}
