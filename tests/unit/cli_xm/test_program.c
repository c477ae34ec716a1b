/* SPDX-License-Identifier: MIT */
/*
 * test_program.c - claims about the program as a whole: help, options, unknown words.
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

#include "fake_store.h"
#include "commands.h"
#include "xm_run.h"

static void test_help_needs_no_store_and_lists_every_command(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	OK("help");
	for (size_t i = 0; xm_tool.cmds[i]; i++) {
		char line[64];

		snprintf(line, sizeof(line), "\n %-14s ", xm_tool.cmds[i]->name);
		expect_out(line);
	}
	OK("help", "create");
	expect_out("Usage: xm create ");
	expect_status(xl_run("help", "create", NULL), 0);
	expect_out("Usage: xl create ");
	OK("-h");
	OK("help", "--long");
	WRONG("help", "nothing");
}

/* What Debian keeps beside our xl: sed '1,4d' | awk '/^ [^ ]/ { print $1 }'. */
static void test_xens_completion_finds_every_command(void **state)
{
	const char *line = xm_out;

	(void)state;
	fake_store_refuse_open(ENOENT);
	expect_status(xl_run("help", NULL), 0);
	for (int i = 0; i < 4; i++) {
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	for (size_t i = 0; xl_tool.cmds[i]; i++) {
		size_t len = strlen(xl_tool.cmds[i]->name);

		assert_int_equal(line[0], ' ');
		assert_int_equal(strncmp(line + 1, xl_tool.cmds[i]->name, len), 0);
		assert_int_equal(line[1 + len], ' ');
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	assert_int_equal(line[0], '\n');
}

static void test_every_command_explains_itself_without_a_store(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	for (size_t i = 0; xm_tool.cmds[i]; i++) {
		OK(xm_tool.cmds[i]->name, "-h");
		expect_out("Usage: xm ");
		expect_out(xm_tool.cmds[i]->help);
	}
}

static void test_every_command_counts_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; xm_tool.cmds[i]; i++) {
		const struct cli_cmd *cmd = xm_tool.cmds[i];

		if (cmd->min_args) {
			WRONG(cmd->name);
			expect_err("something is missing: xm ");
		}
		if (cmd->max_args >= 0 && cmd->max_args <= 2) {
			WRONG(cmd->name, "a", "b", "extra");
			expect_err("is one word too many");
		}
	}
}

static void test_unknown_commands_get_the_nearest(void **state)
{
	(void)state;
	WRONG("lst");
	expect_err("Error: unknown command 'lst'; did you mean 'list'? (see: xm help)");
	WRONG("frobnicate");
	expect_err("unknown command 'frobnicate' (see: xm help)");
	/* What xl has and we have not is known by name. */
	WRONG("dump-core", "web");
	expect_err("there is no dump-core here: save -c writes");
	expect_status(xl_run("pci-list", "web", NULL), 1);
	expect_err("there is no pci-list here: no device of the machine is given");
	/* virsh's */
	WRONG("setmem", "web", "64");
	expect_err("there is no setmem here: mem-set");
	WRONG("suspend", "web");
	expect_err("there is no suspend here: pause stops a domain");
	OK("sched-credit2", "-h");
	OK("restore", "-e", "-d", "-h");
	OK("vcpu-pin", "-f", "-h");
	OK("vcpu-set", "-i", "-h");
	WRONG("de");
	expect_err("'de' is the beginning of several commands: ");
	OK("cons", "-h");
	WRONG("list", "--jsn");
	expect_err("unknown option '--jsn'; did you mean '--json'? (see: xm help list)");
}

static void test_options_before_the_command_are_xls(void **state)
{
	(void)state;
	OK("-vf", "help");
	WRONG("-x", "help");
	expect_err("unknown option '-x' before the command");
	expect_status(xm_run(NULL, NULL), CLI_USAGE);
	expect_err("Usage: xm");
}

/* Scripts know 0 and 1 of Xen's xl. */
static void test_whatever_failed_is_one_for_who_calls_xl(void **state)
{
	(void)state;
	expect_status(xl_run("lst", NULL), 1);
	expect_status(xl_run("list", "--jsn", NULL), 1);
	expect_status(xl_run(NULL, NULL), 1);
	fake_store_refuse_open(ENOENT);
	expect_status(xl_run("list", NULL), 1);
	expect_status(xm_run("list", NULL), CLI_NO_STORE);
	fake_store_refuse_open(EACCES);
	expect_status(xl_run("list", NULL), 1);
	expect_status(xm_run("list", NULL), CLI_NO_RIGHT);
	expect_err("run as root");
}

static void test_errors_are_json_where_json_is_asked_for(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	expect_status(xm_run("list", "--json", NULL), CLI_NO_STORE);
	expect_err("{\"error\":\"cannot reach the store at ");
	expect_err("\",\"code\":3}\n");
	expect_status(xl_run("list", "--json", NULL), 1);
	expect_err("\",\"code\":1}\n");
	WRONG("console", "--json", "web");
	expect_err("there is no JSON of it");
	WRONG("frobnicate", "web", "--json");
	expect_err("{\"error\":\"unknown command 'frobnicate'");
	WRONG("dump-core", "--json", "web");
	expect_err("{\"error\":\"there is no dump-core here");
	WRONG("-x", "list", "--json");
	expect_err("{\"error\":\"unknown option '-x' before the command");
	for (size_t i = 0; xm_tool.cmds[i]; i++) {
		WRONG(xm_tool.cmds[i]->name, "--no-such-thing", "--json");
		expect_err("{\"error\":\"unknown option '--no-such-thing'");
	}
}

static void test_no_colours_reach_files(void **state)
{
	(void)state;
	WRONG("lst");
	assert_null(strchr(xm_err, '\033'));
}

#define BARE(f) cmocka_unit_test_setup_teardown(f, xm_setup_bare, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(test_help_needs_no_store_and_lists_every_command),
		BARE(test_xens_completion_finds_every_command),
		BARE(test_every_command_explains_itself_without_a_store),
		BARE(test_every_command_counts_its_words),
		BARE(test_unknown_commands_get_the_nearest),
		BARE(test_options_before_the_command_are_xls),
		BARE(test_whatever_failed_is_one_for_who_calls_xl),
		BARE(test_errors_are_json_where_json_is_asked_for),
		BARE(test_no_colours_reach_files),
	};

	return cmocka_run_group_tests_name("xm: program", tests, xm_group_setup, xm_group_teardown);
}
