/* SPDX-License-Identifier: MIT */
/*
 * test_docs.c - claims about the manual pages: nothing that xm knows is missing from them.
 * Argument 1: the folder with xm.1 and xm.cfg.5.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "args.h"
#include "keys.h"
#include "xm.h"

static const char *folder;

/* The page's text with roff's escaped hyphens as plain ones. */
static char *page(const char *name)
{
	char path[512], *text = calloc(1, 65536), *to = text;
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be read", path);
	while ((c = fgetc(f)) != EOF && to < text + 65534)
		if (c != '\\')
			*to++ = (char)c;
	fclose(f);
	return text;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = strstr(text, word); s; s = strstr(s + 1, word)) {
		bool starts = s == text || !(isalnum((unsigned char)s[-1]) || s[-1] == '_');
		bool ends = !(isalnum((unsigned char)s[len]) || s[len] == '_');

		if (starts && ends)
			return true;
	}
	return false;
}

static void test_the_manual_names_every_command(void **state)
{
	char *text = page("xm.1");

	(void)state;
	for (size_t i = 0; command_at(i); i++)
		if (!has_word(text, command_at(i)->name))
			fail_msg("xm.1 does not name %s", command_at(i)->name);
	free(text);
}

static void test_the_manual_names_every_option_that_help_shows(void **state)
{
	char *text = page("xm.1"), option[64];

	(void)state;
	for (size_t i = 0; command_at(i); i++) {
		const struct opt *row = command_at(i)->options;

		for (; row && row->key; row++) {
			if (!row->help)
				continue;
			if (row->name)
				snprintf(option, sizeof(option), "--%s", row->name);
			else
				snprintf(option, sizeof(option), "-%c", row->key);
			if (!has_word(text, option))
				fail_msg("xm.1 does not name %s of %s", option,
					 command_at(i)->name);
		}
	}
	free(text);
}

static void test_the_manual_names_every_configuration_key(void **state)
{
	char *text = page("xm.cfg.5");

	(void)state;
	for (size_t i = 0; keys_taken_name(i); i++)
		if (!has_word(text, keys_taken_name(i)))
			fail_msg("xm.cfg.5 does not name %s", keys_taken_name(i));
	free(text);
}

static void test_help_lines_have_the_form_completions_parse(void **state)
{
	(void)state;
	for (size_t i = 0; command_at(i); i++) {
		const struct command *cmd = command_at(i);

		assert_true(strlen(cmd->name) <= 14);
		assert_true(strlen(cmd->summary) <= 62);
		assert_true(isupper((unsigned char)cmd->summary[0]));
		assert_int_not_equal(cmd->summary[strlen(cmd->summary) - 1], '.');
		assert_non_null(cmd->usage);
		assert_non_null(cmd->run);
	}
}

static void test_no_two_options_of_a_command_are_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; command_at(i); i++) {
		const struct opt *options = command_at(i)->options;

		for (const struct opt *a = options; a && a->key; a++)
			for (const struct opt *b = a + 1; b->key; b++)
				if (a->key == b->key ||
				    (a->name && b->name && !strcmp(a->name, b->name)))
					fail_msg("%s has an option twice", command_at(i)->name);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_manual_names_every_command),
		cmocka_unit_test(test_the_manual_names_every_option_that_help_shows),
		cmocka_unit_test(test_the_manual_names_every_configuration_key),
		cmocka_unit_test(test_help_lines_have_the_form_completions_parse),
		cmocka_unit_test(test_no_two_options_of_a_command_are_the_same),
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return cmocka_run_group_tests_name("xm: manual", tests, NULL, NULL);
}
