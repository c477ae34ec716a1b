/* SPDX-License-Identifier: MIT */
/*
 * cmd_read.c - `xs read`: values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "store.h"
#include "text.h"

static void print_value(const struct cli_args *a, const char *path, const char *value, size_t len)
{
	char *text;

	if (cli_has(a, "raw")) {
		fwrite(value, 1, len, stdout);
		return;
	}
	text = text_escape(value, len);
	if (a->argc > 1 && !cli_has(a, "value-only"))
		printf("%s = ", path);
	puts(text);
	free(text);
}

static int run_read(struct cli_args *a)
{
	json_t *all = a->json ? json_object() : NULL;

	for (int i = 0; i < a->argc; i++) {
		char *path = store_path(a->argv[i]);
		size_t len;
		int rc;
		char *value = store_read(0, path, &len, &rc);

		if (!value)
			store_failed(path, rc);
		if (all)
			json_object_set_new(all, path, json_value(value, len));
		else
			print_value(a, path, value, len);
		free(value);
		free(path);
	}
	if (all && a->argc == 1)
		json_print(json_incref(json_object_iter_value(json_object_iter(all))));
	else if (all)
		json_print(json_incref(all));
	json_decref(all);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'r', "raw", NULL, "the bytes as they are, no newline added" },
	{ 'v', "value-only", NULL, "no path before the values of several" },
	{ 0 },
};

const struct cli_cmd cmd_read = {
	.name = "read",
	.alias = "get",
	.args = "PATH...",
	.help = "values of nodes",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.run = run_read,
};
