/* SPDX-License-Identifier: MIT */
/*
 * ui_model.h - the part of the store that `xs browse` shows: a tree of which only what was opened
 * is known, and the list of its visible lines. Knows nothing of the connection: ui_read.c fills it.
 */
#ifndef STOREVISOR_XS_UI_MODEL_H
#define STOREVISOR_XS_UI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ui_node {
	struct ui_node *parent;
	struct ui_node **children; /* sorted: numbers by value, before words */
	size_t nr_children;
	char *name;  /* of the root: its path */
	char *value; /* NULL: not known, or not readable */
	size_t len;
	int value_rc; /* why not, -errno */
	int depth;
	bool open;
	bool listed;                  /* the children are known */
	bool has_children;            /* known even when they are not listed */
	bool stale_value, stale_list; /* to be read (again) when it is on the screen */
	bool stale_below;             /* so is all that is known below it */
	bool asked_value, asked_list; /* a request is on its way */
	int64_t changed_ms;           /* when its value last changed, 0: never since it was known */
	uint64_t change;              /* the larger, the later its value changed; 0: not known */
	/* as of the last making of the lines, with a filter or an order that needs all: */
	uint64_t weight;            /* what it is sorted by, with all below */
	bool passes, passes_below;  /* the filter means it; something below it */
};

/* Which nodes have a line. */
enum model_view {
	VIEW_TREE,   /* what is in an opened one */
	VIEW_FLAT,   /* all that are known, by their full paths */
	VIEW_SHOWN,  /* as the tree, but only the way to some paths, and what is in them */
	VIEW_NR
};

/* How the children of a node follow each other. */
enum model_order {
	ORDER_NAME,
	ORDER_SIZE,   /* bytes of values in and below it, most first */
	ORDER_CHANGE, /* the last change of a value in or below it, newest first */
	ORDER_NR
};

#define MODEL_SHOWN_MAX 8

struct ui_model {
	struct ui_node *root, *cursor;
	enum model_view view;
	enum model_order order;
	char *filter;    /* only lines with this text in name or value, and the way there; or NULL */
	uint64_t newest; /* largest change of a node */
	char *shown[MODEL_SHOWN_MAX]; /* for VIEW_SHOWN: paths; a name may be * */
	size_t nr_shown;
	struct ui_node **line; /* what is visible, from the top */
	size_t nr_lines, max_lines;
	bool moved; /* lines are to be made anew */
};

/* Exit when out of memory, as all functions here. */
void model_init(struct ui_model *m, const char *path);
void model_fini(struct ui_model *m);

/* The known node at @path, or NULL. */
struct ui_node *model_find(const struct ui_model *m, const char *path);
/* The same; when it is not known, its nearest known ancestor. NULL: outside the root. */
struct ui_node *model_nearest(const struct ui_model *m, const char *path);
/* Its full path into @buf. */
void model_path(const struct ui_node *n, char *buf, size_t size);

/* Something at @path changed: marks what has to be read again. */
void model_touch(struct ui_model *m, const char *path);
/* Spreads stale_below; once before each round of reading, however many changes there were. */
void model_settle(struct ui_model *m);

/* What was read. @now_ms marks a change. */
void model_set_value(struct ui_model *m, struct ui_node *n, const char *value, size_t len, int rc,
		     int64_t now_ms);
/* When its value last changed, as the store counts. */
void model_set_change(struct ui_model *m, struct ui_node *n, uint64_t change);
/* @names: NUL after each, @len bytes in all. Children come and go accordingly. */
void model_set_children(struct ui_model *m, struct ui_node *n, const char *names, size_t len);
/* It is not there any more; the cursor moves to a neighbour. The root only loses its children. */
void model_remove(struct ui_model *m, struct ui_node *n);

/* Begins a view. Of VIEW_SHOWN the paths are to be added behind it. */
void model_set_view(struct ui_model *m, enum model_view view);
/* A path that VIEW_SHOWN shows; it is copied. What is too many is left out. */
void model_show(struct ui_model *m, const char *path);
/* Only lines with @text in name or value, upper or lower case, and the way there. "": all. */
void model_set_filter(struct ui_model *m, const char *text);
void model_set_order(struct ui_model *m, enum model_order order);
/* Whether the lines depend on nodes that have none: then all are to be known. */
bool model_needs_all(const struct ui_model *m);
/* Whether the children have lines, because it was opened or by the view. */
bool model_is_open(const struct ui_model *m, const struct ui_node *n);
void model_open(struct ui_model *m, struct ui_node *n, bool open);
/* Makes the lines if needed. Returns the cursor's. */
size_t model_lines(struct ui_model *m);

/* Numbers by value, before words; words by their bytes. */
int model_compare(const char *a, const char *b);

#endif
