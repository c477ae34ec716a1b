/* SPDX-License-Identifier: MIT */
/*
 * cmd_export.c - `xs export`: part of the store as a JSON document, of one moment and
 * sorted, so that the same store gives the same bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "doc_write.h"
#include "json_out.h"
#include "kind.h"
#include "long_value.h"
#include "store.h"
#include "text.h"
#include "text_show.h"

/* What daemons write while the machine runs: no part of a document about what should be. */
static const char *const runtime[] = { "local", "vm", "libxl", "tool", "status", "request", "host",
				       "history" };

struct job {
	const char *path;
	bool perms;
	struct xs_node *root;
};

static bool is_runtime(const char *name)
{
	for (size_t i = 0; i < sizeof(runtime) / sizeof(runtime[0]); i++)
		if (strcmp(name, runtime[i]) == 0)
			return true;
	return name[0] == '@';
}

static void drop_runtime(struct xs_node *root)
{
	struct xs_node **p = &root->children;

	while (*p) {
		struct xs_node *n = *p;

		if (is_runtime(n->name)) {
			*p = n->next;
			n->parent = NULL;
			xs_tree_free(n);
		} else {
			p = &n->next;
		}
	}
}

/* ---- the three forms ---- */

static void print_natural(const struct job *j, bool relative)
{
	const struct doc_style style = { .perms = j->perms, .whole = !relative };

	char *text = NULL;
	size_t len;
	FILE *f = isatty(STDOUT_FILENO) ? must(open_memstream(&text, &len)) : stdout;

	doc_write(f, j->root, j->path, &style);
	if (f != stdout) {
		fclose(f);
		text_show_json(stdout, must(text), len);
		free(text);
	}
	putchar('\n');
}

static void print_line(const struct xs_node *n, const char *path, bool gen)
{
	json_t *o = json_pack("{s:s}", "path", path), *v = json_value(n->value, n->value_len);
	json_t *b64 = json_object_get(v, "@b64");

	json_object_set(o, b64 ? "b64" : "value", b64 ? b64 : v);
	if (n->kind)
		json_object_set_new(o, "kind", json_string(kind_name(n->kind)));
	if (n->perms)
		json_object_set_new(o, "perms", json_perms(n->perms, n->perms_len));
	if (gen && n->gen) /* a daemon that is not ours does not tell */
		json_object_set_new(o, "gen", json_integer((json_int_t)n->gen));
	json_decref(v);
	json_say(cli_voice(), o, JSON_ROW);
}

static void print_exact(const struct xs_node *n, const char *path)
{
	print_line(n, path, false);
}

static void print_gens(const struct xs_node *n, const char *path)
{
	print_line(n, path, true);
}

static void print_flat(const struct xs_node *n, const char *path)
{
	char *text = text_escape(n->value, n->value_len);

	printf("%s=%s\n", path, text);
	free(text);
}

static void print_lines(const struct job *j, void (*print)(const struct xs_node *, const char *))
{
	char path[XENSTORE_ABS_PATH_MAX + 1];

	for (const struct xs_node *n = j->root; n; n = xs_tree_next(j->root, n)) {
		if (!n->value)
			continue;
		xs_tree_path(n, path, sizeof(path));
		print(n, path);
	}
}

static void warn_unreadable(const struct job *j)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];

	for (const struct xs_node *n = j->root; n; n = xs_tree_next(j->root, n))
		if (n->value_rc || n->list_rc) {
			xs_tree_path(n, path, sizeof(path));
			cli_warn("%s: %s", path, cli_words(n->value_rc ? n->value_rc : n->list_rc));
		}
}

static int run_export(struct cli_args *a)
{
	struct job j = {
		.path = store_path(a->argc ? a->argv[0] : "/"),
		.perms = cli_has(a, "perms") || cli_has(a, "exact"),
	};
	unsigned int flags = XS_TREE_VALUES | XS_TREE_KINDS | XS_TREE_SORT |
			     (j.perms ? XS_TREE_PERMS : 0);
	int rc;

	if (a->json && cli_has(a, "flat"))
		cli_usage(a, "--flat is no JSON");
	rc = xs_tree_snapshot(store(), j.path, -1, flags, &j.root);
	if (rc)
		store_failed(j.path, rc);
	long_fold(j.root);
	if (strcmp(j.path, "/") == 0 && !cli_has(a, "all"))
		drop_runtime(j.root);
	warn_unreadable(&j);
	if (cli_has(a, "exact"))
		print_lines(&j, cli_has(a, "gen") ? print_gens : print_exact);
	else if (cli_has(a, "flat"))
		print_lines(&j, print_flat);
	else
		print_natural(&j, cli_has(a, "relative"));
	xs_tree_free(j.root);
	free((char *)j.path);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'a', "all", NULL, "of the whole store also what daemons write while it runs" },
	{ 'p', "perms", NULL, "permissions, where they differ from the parent's" },
	{ 'e', "exact", NULL, "one node a line with value and permissions, for backups" },
	{ 'g', "gen", NULL, "with --exact: generations, too, which an import passes over" },
	{ 'f', "flat", NULL, "PATH=VALUE lines, for grep" },
	{ 'r', "relative", NULL, "the document begins at PATH instead of at /" },
	{ 0 },
};

const struct cli_cmd cmd_export = {
	.name = "export",
	.args = "[PATH]",
	.help = "part of the store as a JSON document",
	.more =
		"An object's members are children, a string is a value; \"@value\" is the value\n"
		"of a node that has children too, \"@perms\" its permissions, {\"@b64\":...}\n"
		"bytes that are no text. Names may have any character (xs(1), Paths); one that\n"
		"begins with @ has one more. Keys are sorted: the same store gives the same bytes,\n"
		"and an imported document those of its sorted, indented source: numbers come out\n"
		"as they were written, true, null, {} and [] as what they were. Our store keeps\n"
		"that beside the value, which is text on Xen's wire (true is 1); a value that is\n"
		"of that kind no more is text. Where a list has permissions of its own, \"@kind\"\n"
		"says what it is. Other commands, and a guest, see text only.",
	.opts = opts,
	.max_args = 1,
	.example = "xs export /config >config.json",
	.run = run_export,
};
