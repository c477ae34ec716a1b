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
#include "xm.h"
#include "xm_run.h"

static void test_help_needs_no_store_and_lists_every_command(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	OK("help");
	for (size_t i = 0; command_at(i); i++) {
		char line[64];

		snprintf(line, sizeof(line), "\n %-14s ", command_at(i)->name);
		expect_out(line);
	}
	OK("help", "create");
	expect_out("Usage: xm create ");
	expect_status(xl_run("help", "create", NULL), 0);
	expect_out("Usage: xl create ");
	OK("-h");
	OK("help", "--long");
	FAILS("help", "nothing");
}

static void test_every_command_explains_itself_without_a_store(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	for (size_t i = 0; command_at(i); i++) {
		OK(command_at(i)->name, "-h");
		expect_out("Usage: xm ");
		expect_out(command_at(i)->summary);
	}
}

static void test_every_command_counts_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; command_at(i); i++) {
		const struct command *cmd = command_at(i);

		if (cmd->min_args) {
			FAILS(cmd->name);
			expect_err("something is missing: xm ");
		}
		if (cmd->max_args >= 0 && cmd->max_args <= 2) {
			FAILS(cmd->name, "a", "b", "extra");
			expect_err("is one word too many");
		}
	}
}

static void test_unknown_commands_get_the_nearest(void **state)
{
	(void)state;
	FAILS("lst");
	expect_err("unknown command 'lst'; did you mean 'list'?");
	FAILS("frobnicate");
	expect_err("unknown command 'frobnicate' ('xm help' lists them all)");
	FAILS("de");
	expect_err("'de' is the beginning of several commands: ");
	OK("cons", "-h");
	FAILS("list", "--jsn");
	expect_err(
		"unknown option '--jsn'; did you mean '--json'? ('xm list -h' shows its options)");
}

static void test_options_before_the_command_are_xls(void **state)
{
	(void)state;
	OK("-vf", "help");
	FAILS("-x", "help");
	expect_err("unknown option '-x' before the command");
	expect_status(xm_run(NULL, NULL), 1);
	expect_err("Usage: xm");
}

static void test_no_colours_reach_files(void **state)
{
	(void)state;
	FAILS("lst");
	assert_null(strchr(xm_err, '\033'));
}

#define BARE(f) cmocka_unit_test_setup_teardown(f, xm_setup_bare, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(test_help_needs_no_store_and_lists_every_command),
		BARE(test_every_command_explains_itself_without_a_store),
		BARE(test_every_command_counts_its_words),
		BARE(test_unknown_commands_get_the_nearest),
		BARE(test_options_before_the_command_are_xls),
		BARE(test_no_colours_reach_files),
	};

	return cmocka_run_group_tests_name("xm: program", tests, xm_group_setup, xm_group_teardown);
}
