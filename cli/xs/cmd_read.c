/* SPDX-License-Identifier: MIT */
/*
 * cmd_read.c - `xs read`: values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "glob.h"
#include "json_out.h"
#include "match.h"
#include "past.h"
#include "store.h"
#include "text.h"
#include "text_show.h"

struct job {
	const struct cli_args *a;
	json_t *all;  /* of --json */
	bool several; /* paths before the values */
};

/* Bytes that are no text could tell a terminal to do things. */
static void print_raw(const struct job *j, const char *path, const char *value, size_t len)
{
	if (isatty(STDOUT_FILENO) && !text_is_harmless(value, len))
		cli_die(CLI_FAIL, "%s: is not text, and standard output is a terminal: leave --raw "
			"out, or write it to a file", path);
	fwrite(value, 1, len, stdout);
	if (cli_has(j->a, "null"))
		putchar('\0');
}

static void print_value(struct job *j, const char *path, const char *value, size_t len)
{
	char *text = text_escape(value, len);
	char *says = cli_has(j->a, "decode") ? decoded(path, value, len) : NULL;

	if (j->several && !cli_has(j->a, "value-only"))
		printf("%s = ", path);
	printf("%s%s%s%s", text, says ? "  (" : "", says ? says : "", says ? ")" : "");
	putchar(cli_has(j->a, "null") ? '\0' : '\n');
	free(says);
	free(text);
}

static void take_node(void *arg, const struct xs_node *n, const char *path)
{
	struct job *j = arg;

	if (!n->value)
		return;
	if (cli_has(j->a, "ndjson"))
		json_print_line(node_json(n, path, false, cli_has(j->a, "decode")));
	else if (j->all)
		json_object_set_new(j->all, path, json_value(n->value, n->value_len));
	else if (cli_has(j->a, "raw"))
		print_raw(j, path, n->value, n->value_len);
	else
		print_value(j, path, n->value, n->value_len);
}

/* PATH@REV */
static void read_past(struct job *j, char *path, uint64_t rev)
{
	struct xs_node *root = past_tree_there(path, rev);

	take_node(j, root, path);
	xs_tree_free(root);
	free(path);
}

static void read_path(struct job *j, const char *typed)
{
	uint64_t rev;
	char *path;
	struct xs_node n;
	int rc;

	if (past_named(typed, &path, &rev) && rev != PAST_NOW) {
		read_past(j, path, rev);
		return;
	}
	if (!past_named(typed, &path, &rev))
		path = store_path(typed);
	n = (struct xs_node){ .name = path };

	n.value = store_read(0, path, &n.value_len, &rc);
	if (!n.value)
		store_failed(path, rc);
	take_node(j, &n, path);
	free(n.value);
	free(path);
}

static int run_read(struct cli_args *a)
{
	struct job j = { .a = a, .several = a->argc > 1 };
	bool pattern = false;

	if (a->json && !cli_has(a, "ndjson"))
		j.all = json_object();
	for (int i = 0; i < a->argc; i++) {
		if (!glob_is_pattern(a->argv[i])) {
			read_path(&j, a->argv[i]);
			continue;
		}
		j.several = pattern = true;
		if (match_each(a->argv[i], false, XS_TREE_VALUES, take_node, &j) == 0)
			cli_die(CLI_FAIL, "%s: nothing matches", a->argv[i]);
	}
	if (j.all && a->argc == 1 && !pattern)
		json_print(json_incref(json_object_iter_value(json_object_iter(j.all))));
	else if (j.all)
		json_print(json_incref(j.all));
	json_decref(j.all);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'r', "raw", NULL, "the bytes as they are, no newline added" },
	{ 'v', "value-only", NULL, "no path before the values of several" },
	{ 'd', "decode", NULL, "what a value means, too: states, sizes, disks, domains" },
	{ '0', "null", NULL, "a NUL byte after each value instead of a newline" },
	{ 0, "ndjson", NULL, "one JSON object a line" },
	{ 0 },
};

const struct cli_cmd cmd_read = {
	.name = "read",
	.alias = "get",
	.args = "PATH[@REV]... | PATTERN...",
	.help = "values of nodes",
	.more =
		"Bytes that are no text are shown as \\xNN; --raw gives them as they are, but\n"
		"not to a terminal. PATH@REV is what a persistent node was at a revision, which\n"
		"xs log shows. A node that is called so goes first; NAME@5@now is always the\n"
		"node.",
	.example = "xs get web:memory/target\n"
		   "xs get --decode '/local/domain/*/device/*/*/state'\n"
		   "xs get --raw ~/data/blob >blob\n"
		   "xs read /config/domain/web/memory@4711",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.run = run_read,
};
