/* SPDX-License-Identifier: MIT */
/*
 * test_args.c - claims about options and about "did you mean".
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "args.h"
#include "nearest.h"

static const struct opt options[] = {
	{'c', "console", NULL, "x"},   {'p', NULL, NULL, "x"},		 {'f', "file", "FILE", "x"},
	{OPT_JSON, "json", NULL, "x"}, {OPT_SKIP, "hidden", NULL, NULL}, {0},
};

static struct args args;
static char err[ARGS_ERROR_LEN];

static int parse(int argc, const char **argv)
{
	return args_parse(&args, options, argc, (char **)argv, err);
}

#define PARSE(...)                                                                                 \
	({                                                                                         \
		const char *argv_[] = {__VA_ARGS__};                                               \
		parse((int)(sizeof(argv_) / sizeof(argv_[0])), argv_);                             \
	})

static void test_options_and_arguments_may_be_mixed(void **state)
{
	(void)state;
	assert_int_equal(PARSE("a", "-c", "b", "--json", "k=v"), 0);

	assert_int_equal(args.nr, 3);
	assert_string_equal(args.at[2], "k=v");
	assert_true(args_has(&args, 'c'));
	assert_true(args_has(&args, OPT_JSON));
	assert_false(args_has(&args, 'p'));
}

static void test_values_may_be_attached_or_follow(void **state)
{
	static const char *const forms[][2] = {
		{"-f", "x"}, {"-fx", NULL}, {"--file", "x"}, {"--file=x", NULL}, {"-cfx", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(parse(forms[i][1] ? 2 : 1, (const char **)forms[i]), 0);
		assert_string_equal(args_value(&args, 'f'), "x");
		assert_int_equal(args.nr, 0);
	}
	assert_null(args_value(&args, 'p'));
}

static void test_the_last_of_two_values_counts(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-f", "a", "-f", "b"), 0);
	assert_string_equal(args_value(&args, 'f'), "b");
}

static void test_two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-c", "--", "-p", "-"), 0);
	assert_int_equal(args.nr, 2);
	assert_string_equal(args.at[0], "-p");
	assert_false(args_has(&args, 'p'));
}

static void test_wrong_options_are_named(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-x"), -EINVAL);
	assert_string_equal(err, "unknown option '-x'");
	assert_int_equal(PARSE("--consle"), -EINVAL);
	assert_string_equal(err, "unknown option '--consle'; did you mean '--console'?");
	assert_int_equal(PARSE("--wibble=3"), -EINVAL);
	assert_string_equal(err, "unknown option '--wibble=3'");
	assert_int_equal(PARSE("-f"), -EINVAL);
	assert_string_equal(err, "option '-f' needs FILE");
	assert_int_equal(PARSE("--file"), -EINVAL);
	assert_string_equal(err, "option '--file' needs FILE");
	assert_int_equal(PARSE("--console=3"), -EINVAL);
	assert_string_equal(err, "option '--console' takes no value");
}

static void test_too_many_words_are_refused(void **state)
{
	const char *argv[ARGS_MAX + 1];

	(void)state;
	for (int i = 0; i <= ARGS_MAX; i++)
		argv[i] = "x";
	assert_int_equal(parse(ARGS_MAX, argv), 0);
	assert_int_equal(parse(ARGS_MAX + 1, argv), -EINVAL);
	for (int i = 0; i <= ARGS_MAX; i++)
		argv[i] = "-c";
	assert_int_equal(parse(ARGS_MAX + 1, argv), -EINVAL);
}

static void test_seconds_are_numbers_within_a_day(void **state)
{
	long long ns;

	(void)state;
	assert_true(args_seconds("1.5", &ns));
	assert_int_equal(ns, 1500000000);
	assert_true(args_seconds("0", &ns));
	assert_false(args_seconds("-1", &ns));
	assert_false(args_seconds("", &ns));
	assert_false(args_seconds("5s", &ns));
	assert_false(args_seconds("nan", &ns));
	assert_false(args_seconds("86401", &ns));
}

static void test_distance_counts_slips_of_the_finger(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("list", "list"), 0);
	assert_int_equal(nearest_distance("lsit", "list"), 1);
	assert_int_equal(nearest_distance("LIST", "list"), 0);
	assert_int_equal(nearest_distance("creat", "create"), 1);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
}

static const char *nearest_of(const char *typed)
{
	static const char *const words[] = {"list",    "console", "create",
					    "destroy", "memory",  "maxmem"};
	struct nearest best = {0};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		nearest_offer(&best, typed, words[i]);
	return best.word;
}

static void test_the_closest_word_is_offered_and_nothing_far_fetched(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("lst"), "list");
	assert_string_equal(nearest_of("memroy"), "memory");
	assert_string_equal(nearest_of("destroyer"), "destroy");
	assert_string_equal(nearest_of("cons"), "console");
	assert_null(nearest_of("xyz"));
	assert_null(nearest_of("li"));
	assert_null(nearest_of(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_and_arguments_may_be_mixed),
		cmocka_unit_test(test_values_may_be_attached_or_follow),
		cmocka_unit_test(test_the_last_of_two_values_counts),
		cmocka_unit_test(test_two_dashes_end_the_options),
		cmocka_unit_test(test_wrong_options_are_named),
		cmocka_unit_test(test_too_many_words_are_refused),
		cmocka_unit_test(test_seconds_are_numbers_within_a_day),
		cmocka_unit_test(test_distance_counts_slips_of_the_finger),
		cmocka_unit_test(test_the_closest_word_is_offered_and_nothing_far_fetched),
	};

	return cmocka_run_group_tests_name("xm: options", tests, NULL, NULL);
}
