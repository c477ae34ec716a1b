/* SPDX-License-Identifier: MIT */
/*
 * json_print.c - see json_print.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "json_print.h"

static const size_t flags[] = {
	[JSON_ANSWER] = JSON_COMPACT,
	[JSON_LINE] = JSON_COMPACT,
	[JSON_ROW] = JSON_COMPACT | JSON_SORT_KEYS,
	[JSON_PAGE] = JSON_INDENT(2) | JSON_SORT_KEYS,
	[JSON_XL] = JSON_INDENT(4),
};

int json_show(struct cli_voice *v, const json_t *value, enum json_form form)
{
	FILE *f = cli_out(v);
	bool person = form == JSON_ANSWER && isatty(fileno(f)), told = ferror(f);
	int bad = json_dumpf(value, f, (person ? JSON_INDENT(2) : flags[form]) | JSON_ENCODE_ANY);

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
