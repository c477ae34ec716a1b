/* SPDX-License-Identifier: MIT */
/*
 * test_docs.c - claims about what xm says of itself: every configuration key is in its page, help
 * has the form that completions parse (tests/unit/cli_xs/agree.sh has the rest). Argument 1: the
 * folder with xm.cfg.5.scd.
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

#include "cfg_keys.h"
#include "commands.h"

static const char *folder;

/* The page's text without escapes. */
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

static void test_the_manual_names_every_configuration_key(void **state)
{
	char *text = page("xm.cfg.5.scd");

	(void)state;
	for (size_t i = 0; cfg_keys_taken_name(i); i++)
		if (!has_word(text, cfg_keys_taken_name(i)))
			fail_msg("xm.cfg.5.scd does not name %s", cfg_keys_taken_name(i));
	free(text);
}

static void test_help_lines_have_the_form_completions_parse(void **state)
{
	(void)state;
	for (size_t i = 0; xm_tool.cmds[i]; i++) {
		const struct cli_cmd *cmd = xm_tool.cmds[i];

		assert_true(strlen(cmd->name) <= 15);
		assert_true(strlen(cmd->help) <= 62);
		assert_true(isupper((unsigned char)cmd->help[0]));
		assert_int_not_equal(cmd->help[strlen(cmd->help) - 1], '.');
		assert_non_null(cmd->run);
	}
}

static bool are_the_same(const struct cli_opt *a, const struct cli_opt *b)
{
	return (a->letter && a->letter == b->letter) || (a->name && b->name && !strcmp(a->name, b->name));
}

static void test_no_two_options_of_a_command_are_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; xm_tool.cmds[i]; i++) {
		const struct cli_opt *options = xm_tool.cmds[i]->opts;

		for (const struct cli_opt *a = options; a && (a->letter || a->name); a++) {
			for (const struct cli_opt *b = a + 1; b->letter || b->name; b++)
				if (are_the_same(a, b))
					fail_msg("%s has an option twice", xm_tool.cmds[i]->name);
			for (const struct cli_opt *b = cli_common_opts; b->letter; b++)
				if (are_the_same(a, b))
					fail_msg("%s has everybody's -%c", xm_tool.cmds[i]->name, b->letter);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_manual_names_every_configuration_key),
		cmocka_unit_test(test_help_lines_have_the_form_completions_parse),
		cmocka_unit_test(test_no_two_options_of_a_command_are_the_same),
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return cmocka_run_group_tests_name("xm: manual", tests, NULL, NULL);
}
