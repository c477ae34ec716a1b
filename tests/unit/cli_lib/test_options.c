/* SPDX-License-Identifier: MIT */
/*
 * test_options.c - claims about options, commands and "did you mean", for every tool of cli/.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cmd.h"
#include "die.h"
#include "nearest.h"

static const struct cli_opt options[] = {
	{ 'c', "console", NULL, "x" }, { 'p', NULL, NULL, "x" },	   { 'f', "file", "FILE", "x" },
	{ 0, "count", NULL, "x" },     { 0, "hidden", NULL, NULL }, { 0 },
};

static const struct cli_cmd mixed = { .name = "mixed", .help = "x", .opts = options, .max_args = -1 };
static const struct cli_cmd first = { .name = "first", .help = "x", .opts = options, .stop_at_first = true };
static const struct cli_cmd exec = { .name = "exec", .help = "x", .opts = options, .stop_at_exec = true };

static struct cli_args args;
static char err[CLI_ERROR_LEN];

/* @words end with NULL; they are taken as those behind the command's name. */
static int parse(const struct cli_cmd *cmd, const char **words)
{
	static char *argv[400];
	int argc = 1;

	argv[0] = (char *)cmd->name;
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	argv[argc] = NULL;
	memset(&args, 0, sizeof(args));
	args.cmd = cmd;
	return cli_parse(&args, argc, argv, err);
}

#define PARSE_AS(cmd, ...)                                                                         \
	({                                                                                         \
		const char *words_[] = { __VA_ARGS__, NULL };                                      \
		parse(cmd, words_);                                                                \
	})
#define PARSE(...) PARSE_AS(&mixed, __VA_ARGS__)

static void test_options_and_arguments_may_be_mixed(void **state)
{
	(void)state;
	assert_int_equal(PARSE("a", "-c", "b", "--json", "k=v"), 0);

	assert_int_equal(args.argc, 3);
	assert_string_equal(args.argv[0], "a");
	assert_string_equal(args.argv[2], "k=v");
	assert_null(args.argv[3]);
	assert_true(cli_has(&args, "console"));
	assert_true(args.json);
	assert_false(cli_has(&args, "p"));
}

static void test_values_may_be_attached_or_follow(void **state)
{
	static const char *forms[][3] = {
		{ "-f", "x" }, { "-fx" }, { "--file", "x" }, { "--file=x" }, { "-cfx" }, { "--fi=x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(parse(&mixed, forms[i]), 0);
		assert_string_equal(cli_str(&args, "file", NULL), "x");
		assert_int_equal(args.argc, 0);
	}
	assert_null(cli_str(&args, "p", NULL));
}

static void test_the_last_of_two_values_counts(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-f", "a", "-f", "b"), 0);
	assert_string_equal(cli_str(&args, "file", NULL), "b");
}

static void test_two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-c", "--", "-p", "-"), 0);
	assert_int_equal(args.argc, 2);
	assert_string_equal(args.argv[0], "-p");
	assert_false(cli_has(&args, "p"));
}

static void test_a_row_says_where_options_end(void **state)
{
	(void)state;
	assert_int_equal(PARSE_AS(&first, "-c", "a", "-p", "--nonsense"), 0);
	assert_int_equal(args.argc, 3);
	assert_true(cli_has(&args, "console"));
	assert_string_equal(args.argv[1], "-p");

	assert_int_equal(PARSE_AS(&exec, "a", "-c", "--exec", "-p", "--nonsense"), 0);
	assert_int_equal(args.argc, 4);
	assert_string_equal(args.argv[0], "a");
	assert_string_equal(args.argv[1], "--exec");
	assert_string_equal(args.argv[3], "--nonsense");
	assert_true(cli_has(&args, "console"));
	assert_false(cli_has(&args, "p"));
	/* the word behind it is no value of an option before */
	assert_int_equal(PARSE_AS(&exec, "-f", "--exec", "x"), -EINVAL);
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

static void test_a_beginning_stands_for_one_option_that_is_shown(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--cou"), 0);
	assert_true(cli_has(&args, "count"));
	assert_int_equal(PARSE("--co"), -EINVAL);
	assert_int_equal(PARSE("--hidden"), 0);
	assert_int_equal(PARSE("--hidd"), -EINVAL);
	assert_int_equal(PARSE("--he"), CLI_HELP_ASKED);
}

static void test_help_is_asked_for_before_what_is_wrong_behind_it(void **state)
{
	(void)state;
	assert_int_equal(PARSE("a", "-h", "--nonsense"), CLI_HELP_ASKED);
	assert_int_equal(PARSE("-ch"), CLI_HELP_ASKED);
	assert_int_equal(PARSE("--nonsense", "-h"), -EINVAL);
}

static void test_many_arguments_are_taken_and_too_many_options_refused(void **state)
{
	const char *words[301];

	(void)state;
	for (int i = 0; i < 300; i++)
		words[i] = "x";
	words[300] = NULL;
	assert_int_equal(parse(&mixed, words), 0);
	assert_int_equal(args.argc, 300);
	for (int i = 0; i < 300; i++)
		words[i] = "-c";
	words[CLI_OPT_MAX] = NULL;
	assert_int_equal(parse(&mixed, words), 0);
	words[CLI_OPT_MAX] = "-c";
	words[CLI_OPT_MAX + 1] = NULL;
	assert_int_equal(parse(&mixed, words), -EINVAL);
}

static void test_times_have_units(void **state)
{
	long ms;

	(void)state;
	assert_true(cli_ms_of("1.5", &ms));
	assert_int_equal(ms, 1500);
	assert_true(cli_ms_of("0", &ms));
	assert_int_equal(ms, 0);
	assert_true(cli_ms_of("200ms", &ms));
	assert_int_equal(ms, 200);
	assert_true(cli_ms_of("2m", &ms));
	assert_int_equal(ms, 120000);
	assert_false(cli_ms_of("-1", &ms));
	assert_false(cli_ms_of("", &ms));
	assert_false(cli_ms_of("5x", &ms));
	assert_false(cli_ms_of("nan", &ms));
	assert_false(cli_ms_of("1e300", &ms));
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
	static const char *const words[] = { "list",    "console", "create",
					     "destroy", "memory",  "maxmem" };
	struct nearest best = { 0 };

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

static int run_nothing(struct cli_args *a)
{
	(void)a;
	return CLI_OK;
}

static int run_failing(struct cli_args *a)
{
	(void)a;
	return CLI_FAIL;
}

static const struct cli_cmd quiet = { .name = "quiet", .help = "Do nothing", .says = CLI_SAYS_NOTHING,
				      .run = run_nothing };
static const struct cli_cmd quit = { .name = "quit", .help = "Fail", .says = CLI_SAYS_NOTHING,
				     .args = "WORD", .min_args = 1, .max_args = 1, .run = run_failing };
static const struct cli_cmd person = { .name = "person", .help = "Talk", .says = CLI_SAYS_NO_JSON,
				       .run = run_nothing };
static const struct cli_cmd runs = { .name = "runs", .help = "Run words", .says = CLI_SAYS_OTHER,
				     .max_args = -1, .stop_at_first = true, .run = run_nothing };
static const struct cli_cmd *const commands[] = { &quiet, &quit, &person, &runs, &cli_help, NULL };
static const struct cli_tool tool = { .name = "tool", .summary = "Does nothing.", .cmds = commands };
static const struct cli_tool xens = { .name = "xens", .summary = "Does nothing.", .cmds = commands,
				      .before = "vf", .abbreviates = true, .fails_by_one = true };

static char said[4096], printed[4096];

static int run_as(const struct cli_tool *t, const char **words)
{
	struct cli_voice voice = { .name = t->name };
	char *argv[10];
	int argc = 1, status;

	argv[0] = (char *)t->name;
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	argv[argc] = NULL;
	memset(said, 0, sizeof(said));
	memset(printed, 0, sizeof(printed));
	voice.out = fmemopen(printed, sizeof(printed) - 1, "w");
	voice.err = fmemopen(said, sizeof(said) - 1, "w");
	status = cli_run_as(t, &voice, NULL, argc, argv);
	fclose(voice.out);
	fclose(voice.err);
	return status;
}

#define RUN(t, ...)                                                                                \
	({                                                                                         \
		const char *words_[] = { __VA_ARGS__, NULL };                                      \
		run_as(t, words_);                                                                 \
	})

static void test_a_wrong_line_is_two_but_one_for_who_calls_xens_tool(void **state)
{
	(void)state;
	assert_int_equal(RUN(&tool, "nonsense"), CLI_USAGE);
	assert_string_equal(said, "tool: unknown command 'nonsense' (see: tool help)\n");
	assert_int_equal(RUN(&xens, "nonsense"), CLI_FAIL);
	assert_int_equal(RUN(&tool, "quiet", "x"), CLI_USAGE);
	assert_string_equal(said, "tool: 'x' is one word too many: tool quiet (see: tool help quiet)\n");
	assert_int_equal(RUN(&tool, "quit"), CLI_USAGE);
	assert_string_equal(said, "tool: something is missing: tool quit WORD (see: tool help quit)\n");
	assert_int_equal(RUN(&tool, NULL), CLI_USAGE);
	assert_non_null(strstr(said, "\n quiet        Do nothing\n"));
	assert_string_equal(printed, "");
}

static void test_commands_are_abbreviated_only_where_the_tool_says_so(void **state)
{
	(void)state;
	assert_int_equal(RUN(&xens, "quie"), CLI_OK);
	assert_int_equal(RUN(&tool, "quie"), CLI_USAGE);
	assert_string_equal(said, "tool: unknown command 'quie'; did you mean 'quiet'? (see: tool help)\n");
	assert_int_equal(RUN(&xens, "qui"), CLI_FAIL);
	assert_non_null(strstr(said, "'qui' is the beginning of several commands: quiet, quit"));
	assert_int_equal(RUN(&xens, "-vf", "quiet"), CLI_OK);
	assert_int_equal(RUN(&tool, "-vf", "quiet"), CLI_USAGE);
	assert_non_null(strstr(said, "unknown option '-vf' before the command"));
}

static void test_json_says_how_it_went(void **state)
{
	(void)state;
	assert_int_equal(RUN(&tool, "quiet", "-j"), CLI_OK);
	assert_string_equal(printed, "{\"ok\":true}\n");
	assert_int_equal(RUN(&tool, "quit", "a", "--json"), CLI_FAIL);
	assert_string_equal(printed, "{\"ok\":false}\n");
	assert_int_equal(RUN(&tool, "quiet", "-x", "-j"), CLI_USAGE);
	assert_string_equal(said, "{\"error\":\"unknown option '-x' (see: tool help quiet)\",\"code\":2}\n");
	/* where words behind the first are another program's, those before it count */
	assert_int_equal(RUN(&tool, "runs", "-j", "-x"), CLI_USAGE);
	assert_non_null(strstr(said, "{\"error\":"));
	assert_int_equal(RUN(&tool, "runs", "-x", "-j", "word"), CLI_USAGE);
	assert_non_null(strstr(said, "{\"error\":\"unknown option '-x'"));
	assert_int_equal(RUN(&tool, "runs", "-x", "word", "-j"), CLI_USAGE);
	assert_null(strstr(said, "{\"error\":"));
	assert_int_equal(RUN(&xens, "person", "-j"), CLI_FAIL);
	assert_string_equal(said, "{\"error\":\"person: there is no JSON of it (see: xens help person)\",\"code\":1}\n");
}

/* Also before anybody knows whose the options are. */
static void test_what_is_no_command_is_told_in_json(void **state)
{
	static const char no_such[] =
		"{\"error\":\"unknown command 'bogus' (see: tool help)\",\"code\":2}\n";

	(void)state;
	assert_int_equal(RUN(&tool, "bogus", "-j"), CLI_USAGE);
	assert_string_equal(said, no_such);
	assert_int_equal(RUN(&tool, "bogus", "word", "--json"), CLI_USAGE);
	assert_string_equal(said, no_such);
	assert_int_equal(RUN(&tool, "bogus", "-qj", "word"), CLI_USAGE);
	assert_string_equal(said, no_such);
	assert_int_equal(RUN(&tool, "help", "-j", "bogus"), CLI_USAGE);
	assert_non_null(strstr(said, "{\"error\":\"help: there is no JSON of it"));
	assert_int_equal(RUN(&tool, "-x", "quiet", "-j"), CLI_USAGE);
	assert_string_equal(said, "{\"error\":\"unknown option '-x' before the command (see: tool help)"
				  "\",\"code\":2}\n");
	assert_int_equal(RUN(&tool, "-j"), CLI_USAGE);
	assert_string_equal(said, "{\"error\":\"unknown option '-j' before the command (see: tool help)"
				  "\",\"code\":2}\n");
	assert_int_equal(RUN(&xens, "qui", "--json"), CLI_FAIL);
	assert_non_null(strstr(said, "{\"error\":\"'qui' is the beginning of several commands"));
	/* what is no option there is another program's, or a name */
	assert_int_equal(RUN(&tool, "bogus", "--", "-j"), CLI_USAGE);
	assert_null(strstr(said, "{\"error\":"));
	assert_int_equal(RUN(&tool, "bogus", "--exec", "word", "-j"), CLI_USAGE);
	assert_null(strstr(said, "{\"error\":"));
}

static void test_help_is_every_tools(void **state)
{
	(void)state;
	assert_int_equal(RUN(&tool, "help"), CLI_OK);
	assert_non_null(strstr(printed, " help         List the commands, or explain one\n"));
	assert_int_equal(RUN(&tool, "help", "--long"), CLI_OK);
	assert_int_equal(RUN(&tool, "--help", "person"), CLI_OK);
	assert_non_null(strstr(printed, "Usage: tool person\n"));
	assert_null(strstr(printed, "--json"));
	assert_int_equal(RUN(&xens, "-v", "-h"), CLI_OK);
	assert_int_equal(RUN(&tool, "help", "nonsense"), CLI_USAGE);
	assert_int_equal(RUN(&tool, "--version"), CLI_OK);
	assert_non_null(strstr(printed, "tool (Storevisor) "));
}

static void test_a_message_tells_a_terminal_nothing(void **state)
{
	struct cli_voice voice = { .name = "xs" };
	size_t len;
	char *text;

	(void)state;
	voice.err = open_memstream(&text, &len);
	cli_say(&voice, CLI_ERROR, 1, "%s", "a\033]0;b\007\r c\td caf\xc3\xa9 \xc2\x9b\x33m \xff \\n\x7f");
	fclose(voice.err);
	assert_string_equal(text, "xs: a\\x1b]0;b\\x07\\x0d c\\x09d caf\xc3\xa9 \\xc2\\x9b\x33m \\xff "
				  "\\n\\x7f\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_and_arguments_may_be_mixed),
		cmocka_unit_test(test_values_may_be_attached_or_follow),
		cmocka_unit_test(test_the_last_of_two_values_counts),
		cmocka_unit_test(test_two_dashes_end_the_options),
		cmocka_unit_test(test_a_row_says_where_options_end),
		cmocka_unit_test(test_wrong_options_are_named),
		cmocka_unit_test(test_a_beginning_stands_for_one_option_that_is_shown),
		cmocka_unit_test(test_help_is_asked_for_before_what_is_wrong_behind_it),
		cmocka_unit_test(test_many_arguments_are_taken_and_too_many_options_refused),
		cmocka_unit_test(test_times_have_units),
		cmocka_unit_test(test_distance_counts_slips_of_the_finger),
		cmocka_unit_test(test_the_closest_word_is_offered_and_nothing_far_fetched),
		cmocka_unit_test(test_a_wrong_line_is_two_but_one_for_who_calls_xens_tool),
		cmocka_unit_test(test_commands_are_abbreviated_only_where_the_tool_says_so),
		cmocka_unit_test(test_json_says_how_it_went),
		cmocka_unit_test(test_what_is_no_command_is_told_in_json),
		cmocka_unit_test(test_help_is_every_tools),
		cmocka_unit_test(test_a_message_tells_a_terminal_nothing),
	};

	return cmocka_run_group_tests_name("cli: options", tests, NULL, NULL);
}
