/* SPDX-License-Identifier: MIT */
/*
 * json_print.c - see json_print.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_print.h"
#include "text_show.h"

static const size_t flags[] = {
	[JSON_ANSWER] = JSON_COMPACT,
	[JSON_LINE] = JSON_COMPACT,
	[JSON_ROW] = JSON_COMPACT | JSON_SORT_KEYS,
	[JSON_PAGE] = JSON_INDENT(2) | JSON_SORT_KEYS,
	[JSON_XL] = JSON_INDENT(4),
};

static int show_at_terminal(const json_t *value, FILE *f, size_t how)
{
	char *text = json_dumps(value, how);

	if (text)
		text_show_json(f, text, strlen(text));
	free(text);
	return text && !ferror(f) ? 0 : -1;
}

int json_show(struct cli_voice *v, const json_t *value, enum json_form form)
{
	FILE *f = cli_out(v);
	bool terminal = isatty(fileno(f)), told = ferror(f);
	bool person = form == JSON_ANSWER && terminal;
	size_t how = (person ? JSON_INDENT(2) : flags[form]) | JSON_ENCODE_ANY;
	int bad = terminal ? show_at_terminal(value, f, how) : json_dumpf(value, f, how);

	if (bad && !told && errno != EPIPE)
		cli_say(v, CLI_ERROR, CLI_FAIL, "standard output: %s", strerror(errno));
	fputc('\n', f);
	return bad ? CLI_FAIL : CLI_OK;
}

int json_say(struct cli_voice *v, json_t *value, enum json_form form)
{
	int status = CLI_FAIL;

	if (value)
		status = json_show(v, value, form);
	else
		cli_say(v, CLI_ERROR, CLI_FAIL, "out of memory");
	json_decref(value);
	return status;
}

void json_print(json_t *value)
{
	if (json_say(cli_voice(), value, JSON_ANSWER))
		cli_end(CLI_FAIL);
}

void json_print_line(json_t *value)
{
	if (json_say(cli_voice(), value, JSON_LINE))
		cli_end(CLI_FAIL);
	fflush(stdout);
}
