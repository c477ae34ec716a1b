/* SPDX-License-Identifier: MIT */
/*
 * cmd_find.c - `xs find`: nodes by path pattern, value, owner; `xs du`: how much is below, by child
 * or by owning domain.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "long_value.h"
#include "match.h"
#include "store.h"
#include "table.h"

static int owner_of(const struct xs_node *n)
{
	return n->perms && n->perms_len > 1 ? atoi(n->perms + 1) : -1;
}

static struct xs_node *read_all(const char *path, unsigned int flags)
{
	struct xs_node *root;
	int rc = long_tree_read(0, path, -1, flags | XS_TREE_SORT, &root);

	if (rc)
		store_failed(path, rc);
	return root;
}

/* ---- find ---- */

struct filter {
	const char *value;
	long owner;
	struct shower shower;
	size_t found;
};

static void look(void *arg, const struct xs_node *n, const char *path)
{
	struct filter *f = arg;

	if (f->owner >= 0 && owner_of(n) != f->owner)
		return;
	if (f->value && !(n->value && memmem(n->value, n->value_len, f->value, strlen(f->value))))
		return;
	f->found++;
	shower_node(&f->shower, n, path);
}

static int run_find(struct cli_args *a)
{
	struct filter f = {
		.value = cli_str(a, "value", NULL),
		.owner = cli_num(a, "owner", 0, 65535, -1),
		.shower = shower_of(a),
	};
	unsigned int flags = XS_TREE_VALUES |
			     (f.owner >= 0 || f.shower.perms ? XS_TREE_PERMS : 0);

	/* a stream: every match is a line */
	f.shower.ndjson = f.shower.ndjson || f.shower.json;
	json_decref(f.shower.list);
	f.shower.list = NULL;
	match_each(a->argc ? a->argv[0] : "/", true, flags, look, &f);
	return f.found ? CLI_OK : CLI_FAIL;
}

static const struct cli_opt find_opts[] = {
	{ 'v', "value", "TEXT", "whose value contains TEXT" },
	{ 'o', "owner", "DOMID", "owned by this domain" },
	{ 'n', "names", NULL, "paths only" },
	{ '0', "null", NULL, "paths, each ended by a NUL byte" },
	{ 'd', "decode", NULL, "what values mean, too" },
	{ 'p', "perms", NULL, "permissions too" },
	{ 0, "ndjson", NULL, "one JSON object a line, as --json does here" },
	{ 0 },
};

const struct cli_cmd cmd_find = {
	.name = "find",
	.args = "[PATTERN]",
	.help = "nodes by path pattern, value or owner",
	.more =
		"* stands for any part of one name, ** for any number of names. A path without\n"
		"them means everything below it. Status 1 when there is nothing.",
	.example = "xs find '/local/domain/*/name'\n"
		   "xs find --decode '/**/state' --value 4\n"
		   "xs find -0 --owner 5 | xargs -0 -n 1 xs perms",
	.opts = find_opts,
	.max_args = 1,
	.run = run_find,
};

/* ---- du ---- */

struct usage {
	int domid;
	const char *name;
	unsigned long nodes, bytes;
};

static void count(struct usage *u, const struct xs_node *n)
{
	u->nodes++;
	u->bytes += strlen(n->name) + n->value_len;
}

static int by_bytes(const void *a, const void *b)
{
	const struct usage *x = a, *y = b;

	return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static void print_usage(struct cli_args *a, struct usage *u, size_t n, bool by_owner)
{
	const char *heads[] = { "NODES", "BYTES", by_owner ? "OWNER" : "BELOW" };
	struct table *t = a->json ? NULL : table_create("rrl", heads);
	json_t *list = json_array();
	size_t top = cli_num(a, "top", 1, 1000000, n);

	qsort(u, n, sizeof(*u), by_bytes);
	for (size_t i = 0; i < n && i < top; i++) {
		if (a->json) {
			json_array_append_new(list, json_pack("{s:o, s:I, s:I}",
				by_owner ? "owner" : "path",
				by_owner ? json_integer(u[i].domid) : json_string(u[i].name),
				"nodes", (json_int_t)u[i].nodes, "bytes", (json_int_t)u[i].bytes));
			continue;
		}
		table_cell(t, "%lu", u[i].nodes);
		table_cell(t, "%lu", u[i].bytes);
		if (by_owner)
			table_cell(t, "domain %d", u[i].domid);
		else
			table_cell(t, "%s", u[i].name);
	}
	if (t)
		table_print(t, stdout);
	else
		json_print(json_incref(list));
	json_decref(list);
}

static struct usage *usage_of(struct usage *u, size_t *n, int domid)
{
	size_t i = 0;

	while (i < *n && u[i].domid != domid)
		i++;
	if (i == *n)
		u[(*n)++] = (struct usage){ .domid = domid };
	return &u[i];
}

static void du_owners(struct cli_args *a, const struct xs_node *root)
{
	struct usage *u = calloc(65537, sizeof(*u));
	size_t n = 0;

	if (!u)
		cli_die(CLI_FAIL, "out of memory");
	for (const struct xs_node *x = root; x; x = xs_tree_next(root, x))
		count(usage_of(u, &n, owner_of(x)), x);
	print_usage(a, u, n, true);
	free(u);
}

static void du_children(struct cli_args *a, const struct xs_node *root)
{
	struct usage *u = calloc(root->nr_children + 1, sizeof(*u));
	size_t n = 0;

	if (!u)
		cli_die(CLI_FAIL, "out of memory");
	for (const struct xs_node *c = root->children; c; c = c->next) {
		u[n].name = c->name;
		for (const struct xs_node *x = c; x; x = xs_tree_next(c, x))
			count(&u[n], x);
		n++;
	}
	print_usage(a, u, n, false);
	free(u);
}

static int run_du(struct cli_args *a)
{
	char *path = store_path(a->argc ? a->argv[0] : "/");
	bool owners = cli_has(a, "owners");
	struct xs_node *root = read_all(path, XS_TREE_VALUES | (owners ? XS_TREE_PERMS : 0));

	if (owners)
		du_owners(a, root);
	else
		du_children(a, root);
	xs_tree_free(root);
	free(path);
	return CLI_OK;
}

static const struct cli_opt du_opts[] = {
	{ 'o', "owners", NULL, "by owning domain instead of by child" },
	{ 't', "top", "N", "only the N largest" },
	{ 0 },
};

const struct cli_cmd cmd_du = {
	.name = "du",
	.args = "[PATH]",
	.help = "how many nodes and bytes, by child or by owning domain",
	.opts = du_opts,
	.max_args = 1,
	.example = "xs du /local/domain",
	.run = run_du,
};
