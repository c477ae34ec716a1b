/* SPDX-License-Identifier: MIT */
/*
 * cmd_history.c - `xs history`: what a domain went through, from the records xend keeps in
 * /history/domain/NAME/SEQ ("WHEN FROM TO WHY").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "store.h"
#include "table.h"
#include "text.h"

struct record {
	char *text; /* escaped; the rest points into it */
	const char *when, *from, *to, *why;
};

static const char *word(char **p)
{
	char *start = *p, *blank = strchr(start, ' ');

	if (blank) {
		*blank = '\0';
		*p = blank + 1;
	} else {
		*p = start + strlen(start);
	}
	return start;
}

static struct record parse(const struct xs_node *n)
{
	struct record r = { .text = text_escape(n->value ? n->value : "", n->value_len) };
	char *p = r.text;

	r.when = word(&p);
	r.from = word(&p);
	r.to = word(&p);
	r.why = p;
	return r;
}

static struct xs_node *read_history(const char *name)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct xs_node *root;
	int rc;

	snprintf(path, sizeof(path), "/history/domain/%s", name);
	rc = xs_tree_read(store(), 0, path, 1, XS_TREE_VALUES | XS_TREE_SORT, &root);
	if (rc)
		cli_die(cli_code(rc), "%s: nothing is recorded about such a domain", name);
	return root;
}

static int run_history(struct cli_args *a)
{
	static const char *const heads[] = { "WHEN", "FROM", "TO", "WHY" };
	struct xs_node *root = read_history(a->argv[0]);
	struct table *t = a->json ? NULL : table_create("llll", heads);
	json_t *list = json_array();

	for (struct xs_node *n = root->children; n; n = n->next) {
		struct record r = parse(n);

		if (t) {
			table_cell(t, "%s", r.when);
			table_cell(t, "%s", r.from);
			table_cell(t, "%s", r.to);
			table_cell(t, "%s", r.why);
		} else {
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "when",
				r.when, "from", r.from, "to", r.to, "why", r.why));
		}
		free(r.text);
	}
	if (t)
		table_print(t, stdout);
	else
		json_print(json_incref(list));
	json_decref(list);
	xs_tree_free(root);
	return CLI_OK;
}

const struct cli_cmd cmd_history = {
	.name = "history",
	.args = "DOMAIN",
	.help = "what a domain went through, and why",
	.min_args = 1,
	.max_args = 1,
	.example = "xs history web",
	.run = run_history,
};
