/* SPDX-License-Identifier: MIT */
/*
 * ui_find.c - / in `xs browse`: letters in their order, anywhere in a path; the best ones are shown
 * while typing, Enter goes to the first, n and N to the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "store.h"
#include "ui.h"

#define SHOWN_MAX 200

struct match {
	char *path;
	int score;
};

static struct match *paths; /* all there were when the search began; one user, one search */
static size_t nr_paths;

static void forget(void)
{
	for (size_t i = 0; i < nr_paths; i++)
		free(paths[i].path);
	free(paths);
	paths = NULL;
	nr_paths = 0;
}

static void remember(struct ui *u)
{
	char path[UI_PATH_MAX];
	struct xs_node *tree;
	size_t max = 0;

	forget();
	if (!u->link_up ||
	    xs_tree_read(store(), 0, u->model.root->name, -1, XS_TREE_SORT, &tree) != 0)
		return;
	for (const struct xs_node *n = tree; n; n = xs_tree_next(tree, n)) {
		if (nr_paths == max) {
			max = max ? max * 2 : 1024;
			paths = realloc(paths, max * sizeof(*paths));
		}
		xs_tree_path(n, path, sizeof(path));
		if (!paths || !(paths[nr_paths].path = strdup(path)))
			cli_die(CLI_FAIL, "out of memory");
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

static void typed(struct ui *u)
{
	ui_lines_clear(&u->found);
	u->found_at = 0;
	u->pane_top = 0;
	for (size_t i = 0; i < nr_paths; i++)
		paths[i].score = ui_fuzzy(u->prompt.text, paths[i].path);
	if (nr_paths)
		qsort(paths, nr_paths, sizeof(*paths), by_score);
	for (size_t i = 0; i < nr_paths && i < SHOWN_MAX && paths[i].score; i++)
		ui_lines_add(&u->found, "%s", paths[i].path);
}

static void done(struct ui *u, const char *text)
{
	forget();
	u->pane = u->pane_before;
	if (u->found.nr)
		ui_jump(u, u->found.at[0]);
	else if (*text)
		ui_say(u, "no path has the letters %s in this order", text);
}

void ui_find_begin(struct ui *u)
{
	remember(u);
	ui_lines_clear(&u->found);
	if (u->pane != PANE_FOUND)
		u->pane_before = u->pane;
	u->pane = PANE_FOUND;
	ui_ask(u, "/", "", done);
	u->prompt.typed = typed;
}

void ui_find_next(struct ui *u, int step)
{
	if (!u->found.nr) {
		ui_say(u, "/ searches first");
		return;
	}
	u->found_at = (u->found_at + u->found.nr + step) % u->found.nr;
	ui_jump(u, u->found.at[u->found_at]);
}
