/* SPDX-License-Identifier: MIT */
/*
 * cmd_ls.c - `xs ls`: children of a node with their values; `xs tree`: all below it.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "glob.h"
#include "long_value.h"
#include "match.h"
#include "name.h"
#include "past.h"
#include "store.h"
#include "table.h"
#include "text.h"

#define BRANCH 3 /* columns a level is moved to the right */

struct look {
	bool perms, names_only, flat, paths0, decode, ndjson;
};

static char *value_text(const struct xs_node *n)
{
	if (n->value)
		return text_escape(n->value, n->value_len);
	return strdup(n->value_rc ? "(not readable)" : "");
}

/* For a person as it was typed; a program gets what every command takes. */
static char *name_text(const char *name)
{
	return isatty(STDOUT_FILENO) ? name_shown(name) : must(strdup(name));
}

/* With what it means, if asked. */
static char *shown_value(const struct xs_node *n, const struct look *look)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	char *value = value_text(n), *says = NULL, *both = NULL;

	if (look->decode && n->value) {
		xs_tree_path(n, path, sizeof(path));
		says = decoded(path, n->value, n->value_len);
	}
	if (!says)
		return value;
	if (asprintf(&both, "%s  (%s)", value, says) < 0)
		cli_die(CLI_FAIL, "out of memory");
	free(value);
	free(says);
	return both;
}

static void perms_text(const struct xs_node *n, char *buf, size_t size)
{
	store_perms_text(n->perms, n->perms_len, buf, size);
}

/* ---- lines ---- */

static void print_branch(const struct xs_node *root, const struct xs_node *n)
{
	if (n->parent != root)
		print_branch(root, n->parent);
	fputs(n->parent != root ? (n->parent->next ? "|  " : "   ") : "", stdout);
}

static void print_tree_line(const struct xs_node *root, const struct xs_node *n,
			    const struct look *look)
{
	char *value = shown_value(n, look), *name = name_text(n->name), perms[512];

	int at = 0;

	for (const struct xs_node *p = n; p != root; p = p->parent)
		at += BRANCH;
	if (n->parent != root)
		print_branch(root, n);
	at += text_width(name);
	printf("%s%s", n->next ? "+- " : "`- ", name);
	free(name);
	if (!look->names_only && n->value_len) {
		fputs(" = ", stdout);
		text_fold(stdout, value, at + 3, text_terminal_width());
	}
	perms_text(n, perms, sizeof(perms));
	if (look->perms)
		printf("  (%s)", perms);
	putchar('\n');
	free(value);
}

/* ---- one node a line, or JSON ---- */

static void print_each(struct cli_args *a, const struct xs_node *root)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct shower s = shower_of(a);

	for (struct xs_node *n = xs_tree_next(root, root); n; n = xs_tree_next(root, n)) {
		xs_tree_path(n, path, sizeof(path));
		shower_node(&s, n, path);
	}
	shower_end(&s);
}

static void print_match(void *arg, const struct xs_node *n, const char *path)
{
	shower_node(arg, n, path);
}

/* A pattern lists what matches it. */
static int list_matches(struct cli_args *a)
{
	struct shower s = shower_of(a);
	size_t nr = 0;

	for (int i = 0; i < a->argc; i++)
		nr += match_each(a->argv[i], false,
				 XS_TREE_VALUES | (s.perms ? XS_TREE_PERMS : 0), print_match, &s);
	shower_end(&s);
	return nr ? CLI_OK : CLI_FAIL;
}

/* ---- the commands ---- */

static struct xs_node *look_up(struct cli_args *a, int depth, const struct look *look)
{
	const char *typed = a->argc ? a->argv[0] : "/";
	unsigned int flags = XS_TREE_VALUES | XS_TREE_SORT | (look->perms ? XS_TREE_PERMS : 0);
	struct xs_node *root;
	uint64_t rev;
	char *path;
	int rc;

	if (!past_named(typed, &path, &rev)) {
		path = store_path(typed);
		rev = PAST_NOW;
	}
	if (rev != PAST_NOW) {
		if (cli_has(a, "depth"))
			cli_usage(a, "what was there at a revision is shown as a whole");
		root = past_tree_there(path, rev);
		free(path);
		return root;
	}
	rc = long_tree_read(0, path, depth, flags, &root);
	if (rc)
		store_failed(path, rc);
	free(path);
	return root;
}

static struct look look_of(const struct cli_args *a)
{
	setlocale(LC_CTYPE, ""); /* how wide a character is */
	return (struct look){
		.perms = cli_has(a, "perms"),
		.names_only = cli_has(a, "names"),
		.flat = cli_has(a, "flat"),
		.paths0 = cli_has(a, "null"),
		.decode = cli_has(a, "decode"),
		.ndjson = cli_has(a, "ndjson"),
	};
}

static int run_ls(struct cli_args *a)
{
	struct look look = look_of(a);
	struct xs_node *root;
	int patterns = 0;
	struct table *t;
	char perms[512];

	for (int i = 0; i < a->argc; i++)
		patterns += glob_is_pattern(a->argv[i]);
	if (a->argc > 1 && patterns < a->argc)
		cli_usage(a, "ls: one PATH or several patterns are wanted");
	if (patterns)
		return list_matches(a);
	root = look_up(a, cli_has(a, "recursive") ? -1 : 1, &look);
	if (a->json || look.ndjson || look.flat || look.paths0 || cli_has(a, "recursive")) {
		print_each(a, root);
	} else {
		t = table_create(look.names_only ? "l" : look.perms ? "lll" : "ll", NULL);
		for (struct xs_node *n = root->children; n; n = n->next) {
			char *value = shown_value(n, &look), *name = name_text(n->name);

			table_cell(t, "%s", name);
			free(name);
			perms_text(n, perms, sizeof(perms));
			if (look.perms && !look.names_only)
				table_cell(t, "%s", perms);
			if (!look.names_only)
				table_cell(t, "%s", value);
			free(value);
		}
		table_fold(t, text_terminal_width());
		table_print(t, stdout);
	}
	xs_tree_free(root);
	return CLI_OK;
}

static int run_tree(struct cli_args *a)
{
	struct look look = look_of(a);
	struct xs_node *root = look_up(a, cli_num(a, "depth", 1, 1000, -1), &look);

	bool tree = !a->json && !look.ndjson;

	if (tree)
		puts(root->name);
	else
		print_each(a, root);
	if (tree)
		for (struct xs_node *n = xs_tree_next(root, root); n; n = xs_tree_next(root, n))
			print_tree_line(root, n, &look);
	xs_tree_free(root);
	return CLI_OK;
}

static const struct cli_opt ls_opts[] = {
	{ 'p', "perms", NULL, "permissions too" },
	{ 'n', "names", NULL, "names only" },
	{ 'f', "flat", NULL, "full paths, one PATH = VALUE a line" },
	{ 'r', "recursive", NULL, "everything below, as with --flat" },
	{ '0', "null", NULL, "full paths, each ended by a NUL byte" },
	{ 'd', "decode", NULL, "what values mean, too: states, sizes, disks, domains" },
	{ 0, "ndjson", NULL, "one JSON object a line" },
	{ 0 },
};

const struct cli_cmd cmd_ls = {
	.name = "ls",
	.args = "[PATH | PATTERN...]",
	.help = "children of a node, with values; or what matches a pattern",
	.more = "PATTERN holds * (within a name) or ** (any number of names).\n"
		"On a terminal long values are folded, and cut after six rows: xs read has all.",
	.example = "xs ls --decode ~/device/vbd/51712\n"
		   "xs ls '/local/domain/*/name'",
	.opts = ls_opts,
	.max_args = -1,
	.run = run_ls,
};

static const struct cli_opt tree_opts[] = {
	{ 'p', "perms", NULL, "permissions too" },
	{ 'n', "names", NULL, "names only" },
	{ 'd', "depth", "N", "not deeper than N levels" },
	{ 0, "decode", NULL, "what values mean, too" },
	{ 0, "ndjson", NULL, "one JSON object a line" },
	{ 0 },
};

const struct cli_cmd cmd_tree = {
	.name = "tree",
	.args = "[PATH[@REV]]",
	.help = "everything below a node, now or at a revision, drawn as a tree",
	.example = "xs tree /config\n"
		   "xs tree --depth 2 --decode web:device",
	.opts = tree_opts,
	.max_args = 1,
	.run = run_tree,
};
