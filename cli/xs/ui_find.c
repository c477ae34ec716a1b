/* SPDX-License-Identifier: MIT */
/*
 * ui_find.c - / in `xs browse`: letters in their order, anywhere in a path; = text in a value. The
 * best ones are shown while typing, Enter goes to the first, n and N to the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_value.h"
#include "store.h"
#include "text.h"
#include "ui.h"

#define SHOWN_MAX 200
#define CONTEXT 20 /* bytes of a value before what was found */

struct match {
	char *path;
	char *value; /* as text, when values are searched; else NULL */
	int score;
};

static struct match *paths; /* all there were when the search began; one user, one search */
static size_t nr_paths;

static void forget(void)
{
	for (size_t i = 0; i < nr_paths; i++) {
		free(paths[i].path);
		free(paths[i].value);
	}
	free(paths);
	paths = NULL;
	nr_paths = 0;
}

static void remember(struct ui *u, bool values)
{
	char path[UI_PATH_MAX];
	struct xs_node *tree;
	size_t max = 0;

	forget();
	if (!u->link_up ||
	    long_tree_read(0, u->model.root->name, -1,
			   XS_TREE_SORT | (values ? XS_TREE_VALUES : 0), &tree) != 0)
		return;
	for (const struct xs_node *n = tree; n; n = xs_tree_next(tree, n)) {
		if (nr_paths == max) {
			max = max ? max * 2 : 1024;
			paths = realloc(paths, max * sizeof(*paths));
		}
		xs_tree_path(n, path, sizeof(path));
		if (!paths || !(paths[nr_paths].path = strdup(path)))
			cli_die(CLI_FAIL, "out of memory");
		paths[nr_paths].value = values && n->value ? text_escape(n->value, n->value_len) :
							     NULL;
		nr_paths++;
	}
	xs_tree_free(tree);
}

static int by_score(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* The line of what was found: its path, and what is around the text in its value. */
static void add_found(struct ui *u, const struct match *m)
{
	const char *at = m->value ? strcasestr(m->value, u->prompt.text) : NULL;
	size_t before = at ? (size_t)(at - m->value) : 0;

	if (!at) {
		ui_lines_add(&u->found, "%s", m->path);
		return;
	}
	before = before > CONTEXT ? CONTEXT : before;
	ui_lines_add(&u->found, "%s = %s%.200s", m->path, at - before > m->value ? "..." : "",
		     at - before);
}

/* A line found begins with its path, in which there is no blank. */
static void jump_to(struct ui *u, size_t i)
{
	char path[UI_PATH_MAX];

	snprintf(path, sizeof(path), "%.*s", (int)strcspn(u->found.at[i], " "), u->found.at[i]);
	ui_jump(u, path);
}

static int score_of(const struct ui *u, const struct match *m)
{
	const char *text = u->prompt.text;

	if (!u->in_values)
		return ui_fuzzy(text, m->path);
	return *text && m->value && strcasestr(m->value, text);
}

static void typed(struct ui *u)
{
	ui_lines_clear(&u->found);
	u->found_at = 0;
	u->pane_top = 0;
	for (size_t i = 0; i < nr_paths; i++)
		paths[i].score = score_of(u, &paths[i]);
	if (nr_paths)
		qsort(paths, nr_paths, sizeof(*paths), by_score);
	for (size_t i = 0; i < nr_paths && i < SHOWN_MAX && paths[i].score; i++)
		add_found(u, &paths[i]);
}

static void done(struct ui *u, const char *text)
{
	forget();
	u->pane = u->pane_before;
	if (u->found.nr)
		jump_to(u, 0);
	else if (*text && u->in_values)
		ui_say(u, "%s is in no value", text);
	else if (*text)
		ui_say(u, "no path has the letters %s in this order", text);
}

static void begin(struct ui *u, const char *label, bool values)
{
	u->in_values = values;
	remember(u, values);
	ui_lines_clear(&u->found);
	if (u->pane != PANE_FOUND)
		u->pane_before = u->pane;
	u->pane = PANE_FOUND;
	ui_ask(u, label, "", done);
	u->prompt.typed = typed;
}

void ui_find_begin(struct ui *u)
{
	begin(u, "/", false);
}

void ui_find_value_begin(struct ui *u)
{
	begin(u, "in a value: ", true);
}

void ui_find_next(struct ui *u, int step)
{
	if (!u->found.nr) {
		ui_say(u, "/ searches first");
		return;
	}
	u->found_at = (u->found_at + u->found.nr + step) % u->found.nr;
	jump_to(u, u->found_at);
}
