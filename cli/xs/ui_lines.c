/* SPDX-License-Identifier: MIT */
/*
 * ui_lines.c - which nodes of ui_model.h have a line, and in which order. Without a filter and by
 * name only what is opened is looked at; otherwise each making of the lines is a walk over all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "name.h"
#include "text.h"
#include "ui_model.h"

/* How a node is to what VIEW_SHOWN shows. */
enum relation { OUTSIDE, ON_THE_WAY, INSIDE };

static enum relation relation_to(const char *path, const char *shown)
{
	while (*path && *shown) {
		size_t a, b;

		path += *path == '/';
		shown += *shown == '/';
		a = strcspn(path, "/");
		b = strcspn(shown, "/");
		if (a && !(b == 1 && *shown == '*') && (a != b || memcmp(path, shown, a) != 0))
			return OUTSIDE;
		path += a;
		shown += a ? b : 0;
	}
	return *shown ? ON_THE_WAY : INSIDE;
}

static enum relation relation_of(const struct ui_model *m, const struct ui_node *n)
{
	enum relation best = OUTSIDE;
	char path[4096];

	model_path(n, path, sizeof(path));
	for (size_t i = 0; i < m->nr_shown; i++) {
		enum relation r = relation_to(path, m->shown[i]);

		best = r > best ? r : best;
	}
	return best;
}

static void forget_shown(struct ui_model *m)
{
	while (m->nr_shown)
		free(m->shown[--m->nr_shown]);
}

void model_set_view(struct ui_model *m, enum model_view view)
{
	forget_shown(m);
	m->view = view;
	m->moved = true;
}

void model_show(struct ui_model *m, const char *path)
{
	if (m->nr_shown < MODEL_SHOWN_MAX)
		m->shown[m->nr_shown++] = must(strdup(path));
	m->moved = true;
}

void model_set_filter(struct ui_model *m, const char *text)
{
	free(m->filter);
	m->filter = *text ? must(strdup(text)) : NULL;
	m->moved = true;
}

void model_set_order(struct ui_model *m, enum model_order order)
{
	m->order = order;
	m->moved = true;
}

bool model_needs_all(const struct ui_model *m)
{
	return m->filter || m->order != ORDER_NAME;
}

bool model_is_open(const struct ui_model *m, const struct ui_node *n)
{
	return n->open || m->view == VIEW_FLAT || (m->filter && n->passes_below) ||
	       (m->view == VIEW_SHOWN && relation_of(m, n) == ON_THE_WAY);
}

/* ---- what a walk over all finds out ---- */

static bool is_meant(const struct ui_model *m, const struct ui_node *n)
{
	char *name = name_shown(n->name), *value = text_escape(n->value ? n->value : "", n->len);
	bool meant = n->parent && (strcasestr(name, m->filter) || strcasestr(value, m->filter));

	free(name);
	free(value);
	return meant;
}

static void weigh(const struct ui_model *m, struct ui_node *n)
{
	n->passes = m->filter && is_meant(m, n);
	n->passes_below = false;
	n->weight = m->order == ORDER_CHANGE ? n->change : n->value ? n->len : 0;
	for (size_t i = 0; i < n->nr_children; i++) {
		struct ui_node *c = n->children[i];

		weigh(m, c);
		n->passes_below = n->passes_below || c->passes || c->passes_below;
		if (m->order == ORDER_SIZE)
			n->weight += c->weight;
		else if (c->weight > n->weight)
			n->weight = c->weight;
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct ui_node *x = *(struct ui_node *const *)a, *y = *(struct ui_node *const *)b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return model_compare(x->name, y->name);
}

/* ---- lines ---- */

static void add_line(struct ui_model *m, struct ui_node *n)
{
	/* in a flat list the way to what is meant is in its path */
	if (m->filter && n->parent && !n->passes && (m->view == VIEW_FLAT || !n->passes_below))
		return;
	if (m->nr_lines == m->max_lines) {
		m->max_lines = m->max_lines ? m->max_lines * 2 : 256;
		m->line = must(realloc(m->line, m->max_lines * sizeof(*m->line)));
	}
	m->line[m->nr_lines++] = n;
}

static void lines_below(struct ui_model *m, struct ui_node *n)
{
	struct ui_node **in_order = n->children;
	size_t nr = n->nr_children;

	if (m->view == VIEW_SHOWN && relation_of(m, n) == OUTSIDE)
		return;
	add_line(m, n);
	if (!nr || !model_is_open(m, n))
		return;
	if (m->order != ORDER_NAME) {
		in_order = must(malloc(nr * sizeof(*in_order)));
		memcpy(in_order, n->children, nr * sizeof(*in_order));
		qsort(in_order, nr, sizeof(*in_order), by_weight);
	}
	for (size_t i = 0; i < nr; i++)
		lines_below(m, in_order[i]);
	if (in_order != n->children)
		free(in_order);
}

size_t model_lines(struct ui_model *m)
{
	if (m->moved) {
		if (model_needs_all(m))
			weigh(m, m->root);
		m->nr_lines = 0;
		lines_below(m, m->root);
		m->moved = false;
	}
	for (size_t i = 0; i < m->nr_lines; i++)
		if (m->line[i] == m->cursor)
			return i;
	m->cursor = m->root;
	return 0;
}
