/* SPDX-License-Identifier: MIT */
/*
 * ui_whole.c - what `xs browse` needs the whole store for: & shows only what holds a text, o sorts
 * by size or last change. Read in one go when it begins, then kept up to date as the screen is.
 */
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_value.h"
#include "store.h"
#include "ui.h"

static void take_children(struct ui_model *m, struct ui_node *n, const struct xs_node *from)
{
	size_t len = 0, at = 0;
	char *names;

	for (const struct xs_node *c = from->children; c; c = c->next)
		len += strlen(c->name) + 1;
	names = must(malloc(len + 1));
	for (const struct xs_node *c = from->children; c; c = c->next) {
		strcpy(names + at, c->name);
		at += strlen(c->name) + 1;
	}
	model_set_children(m, n, names, len);
	free(names);
}

/* @quiet: nothing changed while it was read, so that no list is out of date. */
static void take(struct ui_model *m, struct ui_node *n, const struct xs_node *from, bool quiet)
{
	if (from->value || from->value_rc) {
		model_set_value(m, n, from->value, from->value_len, from->value_rc, ui_now_ms());
		model_set_change(m, n, from->gen);
		n->stale_value = false;
	}
	if (from->list_rc)
		return;
	take_children(m, n, from);
	n->stale_list = n->stale_list && !quiet;
	for (const struct xs_node *c = from->children; c; c = c->next) {
		char path[UI_PATH_MAX];
		struct ui_node *to;

		xs_tree_path(c, path, sizeof(path));
		to = model_find(m, path);
		if (to)
			take(m, to, c, quiet);
	}
}

static void read_all(struct ui *u)
{
	uint64_t before = u->nr_events;
	struct xs_node *tree;
	int rc;

	if (!u->link_up)
		return;
	rc = long_tree_read(0, u->model.root->name, -1, XS_TREE_VALUES | XS_TREE_SORT, &tree);
	if (rc) {
		ui_say(u, "%s: %s", u->model.root->name, cli_words(rc));
		return;
	}
	take(&u->model, u->model.root, tree, u->nr_events == before);
	xs_tree_free(tree);
	u->model.moved = true;
}

/* To the first line that is meant, when the one under the cursor is not. */
static void go_to_first(struct ui *u)
{
	struct ui_model *m = &u->model;

	model_lines(m);
	for (size_t i = 0; m->filter && !m->cursor->passes && i < m->nr_lines; i++)
		if (m->line[i]->passes) {
			m->cursor = m->line[i];
			break;
		}
}

static void filter_typed(struct ui *u)
{
	model_set_filter(&u->model, u->prompt.text);
	go_to_first(u);
}

static void filter_done(struct ui *u, const char *text)
{
	model_set_filter(&u->model, text);
	go_to_first(u);
	if (!*text)
		ui_say(u, "all is shown again");
	else if (u->model.nr_lines == 1)
		ui_say(u, "%s is in no name and no value; & shows all again", text);
	else
		ui_say(u, "only what has %s in its name or value; & and Enter: all", text);
}

void ui_filter_begin(struct ui *u)
{
	read_all(u);
	model_set_filter(&u->model, "");
	ui_ask(u, "show only: ", "", filter_done);
	u->prompt.typed = filter_typed;
}

void ui_order_next(struct ui *u)
{
	static const char *const says[ORDER_NR] = {
		[ORDER_NAME] = "sorted by name",
		[ORDER_SIZE] = "sorted by size: bytes of all values in and below a node",
		[ORDER_CHANGE] = "sorted by last change, the newest first",
	};
	enum model_order next = u->model.order + 1 == ORDER_NR ? ORDER_NAME : u->model.order + 1;

	if (u->model.order == ORDER_NAME)
		read_all(u);
	model_set_order(&u->model, next);
	ui_say(u, "%s", says[next]);
}
