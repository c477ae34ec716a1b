/* SPDX-License-Identifier: MIT */
/*
 * cmd_ls.c - `xs ls`: children of a node with their values; `xs tree`: all below it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "store.h"
#include "table.h"
#include "text.h"

struct look {
	bool perms, names_only, flat, paths0;
};

static char *value_text(const struct xs_node *n)
{
	if (n->value)
		return text_escape(n->value, n->value_len);
	return strdup(n->value_rc ? "(not readable)" : "");
}

static void perms_text(const struct xs_node *n, char *buf, size_t size)
{
	store_perms_text(n->perms, n->perms_len, buf, size);
}

/* ---- lines ---- */

static void print_flat(const struct xs_node *n, const struct look *look)
{
	char path[XENSTORE_ABS_PATH_MAX + 1], perms[512];
	char *value;

	xs_tree_path(n, path, sizeof(path));
	if (look->paths0) {
		printf("%s%c", path, '\0');
		return;
	}
	if (look->names_only) {
		puts(path);
		return;
	}
	value = value_text(n);
	perms_text(n, perms, sizeof(perms));
	printf("%s = %s%s%s%s\n", path, value, look->perms ? "  (" : "", look->perms ? perms : "",
	       look->perms ? ")" : "");
	free(value);
}

static void print_branch(const struct xs_node *root, const struct xs_node *n)
{
	if (n->parent != root)
		print_branch(root, n->parent);
	fputs(n->parent != root ? (n->parent->next ? "|  " : "   ") : "", stdout);
}

static void print_tree_line(const struct xs_node *root, const struct xs_node *n,
			    const struct look *look)
{
	char *value = value_text(n), perms[512];

	if (n->parent != root)
		print_branch(root, n);
	printf("%s%s", n->next ? "+- " : "`- ", n->name);
	if (!look->names_only && n->value_len)
		printf(" = %s", value);
	perms_text(n, perms, sizeof(perms));
	if (look->perms)
		printf("  (%s)", perms);
	putchar('\n');
	free(value);
}

/* ---- JSON ---- */

static json_t *node_json(const struct xs_node *n, const struct look *look)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	json_t *o;

	xs_tree_path(n, path, sizeof(path));
	o = json_pack("{s:s, s:s}", "path", path, "name", n->name);
	if (n->value)
		json_object_set_new(o, "value", json_value(n->value, n->value_len));
	if (look->perms)
		json_object_set_new(o, "perms", json_perms(n->perms, n->perms_len));
	return o;
}

static int print_json(const struct xs_node *root, const struct look *look)
{
	json_t *list = json_array();

	for (struct xs_node *n = xs_tree_next(root, root); n; n = xs_tree_next(root, n))
		json_array_append_new(list, node_json(n, look));
	json_print(list);
	return CLI_OK;
}

/* ---- the commands ---- */

static struct xs_node *look_up(struct cli_args *a, int depth, const struct look *look)
{
	char *path = store_path(a->argc ? a->argv[0] : "/");
	unsigned int flags = XS_TREE_VALUES | XS_TREE_SORT | (look->perms ? XS_TREE_PERMS : 0);
	struct xs_node *root;
	int rc = xs_tree_read(store(), 0, path, depth, flags, &root);

	if (rc)
		store_failed(path, rc);
	free(path);
	return root;
}

static struct look look_of(const struct cli_args *a)
{
	return (struct look){
		.perms = cli_has(a, "perms"),
		.names_only = cli_has(a, "names"),
		.flat = cli_has(a, "flat"),
		.paths0 = cli_has(a, "null"),
	};
}

static int run_ls(struct cli_args *a)
{
	struct look look = look_of(a);
	struct xs_node *root = look_up(a, cli_has(a, "recursive") ? -1 : 1, &look);
	struct table *t;
	char perms[512];

	if (a->json) {
		print_json(root, &look);
	} else if (look.flat || look.paths0 || cli_has(a, "recursive")) {
		for (struct xs_node *n = xs_tree_next(root, root); n; n = xs_tree_next(root, n))
			print_flat(n, &look);
	} else {
		t = table_create(look.names_only ? "l" : look.perms ? "lll" : "ll", NULL);
		for (struct xs_node *n = root->children; n; n = n->next) {
			char *value = value_text(n);

			table_cell(t, "%s", n->name);
			perms_text(n, perms, sizeof(perms));
			if (look.perms && !look.names_only)
				table_cell(t, "%s", perms);
			if (!look.names_only)
				table_cell(t, "%s", value);
			free(value);
		}
		table_print(t, stdout);
	}
	xs_tree_free(root);
	return CLI_OK;
}

static int run_tree(struct cli_args *a)
{
	struct look look = look_of(a);
	struct xs_node *root = look_up(a, cli_num(a, "depth", 1, 1000, -1), &look);

	if (a->json)
		print_json(root, &look);
	else
		puts(root->name);
	if (!a->json)
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
	{ 0 },
};

const struct cli_cmd cmd_ls = {
	.name = "ls",
	.args = "[PATH]",
	.help = "children of a node, with values",
	.opts = ls_opts,
	.max_args = 1,
	.run = run_ls,
};

static const struct cli_opt tree_opts[] = {
	{ 'p', "perms", NULL, "permissions too" },
	{ 'n', "names", NULL, "names only" },
	{ 'd', "depth", "N", "not deeper than N levels" },
	{ 0 },
};

const struct cli_cmd cmd_tree = {
	.name = "tree",
	.args = "[PATH]",
	.help = "everything below a node, drawn as a tree",
	.opts = tree_opts,
	.max_args = 1,
	.run = run_tree,
};
