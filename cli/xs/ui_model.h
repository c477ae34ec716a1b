/* SPDX-License-Identifier: MIT */
/*
 * ui_model.h - the part of the store that `xs ui` shows: a tree of which only opened nodes have their
 * children loaded, and the list of its visible lines.
 */
#ifndef STOREVISOR_XS_UI_MODEL_H
#define STOREVISOR_XS_UI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ui_node {
	struct ui_node *parent, *children, *next;
	char *name;
	char *value; /* NULL: not readable */
	size_t len;
	int depth;
	bool open;
	bool met;           /* by the refresh that runs */
	int64_t changed_ms; /* when its value last changed, 0: never since it was loaded */
};

struct ui_model {
	struct ui_node *root;
	struct ui_node **lines; /* what is visible, from the top */
	size_t nr_lines, max_lines;
};

/* Loads @path as the root, opened. 0 or -errno. */
int model_init(struct ui_model *m, const char *path);
void model_free(struct ui_model *m);
/* Reads all opened nodes again; what is open stays open. 0 or -errno of the root. */
int model_refresh(struct ui_model *m);
/* Opens or closes @n; loads its children when needed. */
void model_open(struct ui_model *m, struct ui_node *n, bool open);
/* Opens everything on the way to @path. Returns its node, or NULL: no such node. */
struct ui_node *model_reach(struct ui_model *m, const char *path);
/* Index of @n among the lines, or of its nearest visible ancestor. */
size_t model_line_of(const struct ui_model *m, const struct ui_node *n);
void model_path(const struct ui_node *n, char *buf, size_t size);
/* What a value means, where the name tells ("Connected", "xvda"); NULL: nothing to add. */
const char *model_meaning(const struct ui_node *n, char *buf, size_t size);

#endif
