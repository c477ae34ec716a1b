/* SPDX-License-Identifier: MIT */
/*
 * doc.c - the list of nodes a document describes, and making one from a tree of the store. From
 * text: doc_read.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "doc.h"
#include "json_out.h"
#include "schema.h"

struct want *doc_want(struct doc *d, const char *path)
{
	if (d->nr == d->max) {
		d->max = d->max ? d->max * 2 : 64;
		d->wants = must(realloc(d->wants, d->max * sizeof(*d->wants)));
	}
	d->wants[d->nr] = (struct want){ .path = must(strdup(path)) };
	return &d->wants[d->nr++];
}

static int by_path(const void *a, const void *b)
{
	const unsigned char *p = (const unsigned char *)((const struct want *)a)->path;
	const unsigned char *q = (const unsigned char *)((const struct want *)b)->path;

	while (*p && *p == *q) {
		p++;
		q++;
	}
	/* a slash before every other character: a node's children follow it at once */
	return (*p == '/' ? 1 : *p) - (*q == '/' ? 1 : *q);
}

void doc_sort(struct doc *d)
{
	if (d->nr)
		qsort(d->wants, d->nr, sizeof(*d->wants), by_path);
}

void doc_end_if_wrong(const struct doc *d)
{
	if (d->nr_errors)
		cli_die(CLI_USAGE, "%s: %u problem%s; nothing was changed", d->name, d->nr_errors,
			d->nr_errors > 1 ? "s" : "");
}

void doc_from_tree(struct doc *d, const struct xs_node *root)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];

	*d = (struct doc){ .name = "the store" };
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n)) {
		struct want *w;

		xs_tree_path(n, path, sizeof(path));
		w = doc_want(d, path);
		w->value = must(malloc(n->value_len + 1));
		memcpy(w->value, n->value ? n->value : "", n->value_len + 1);
		w->len = n->value_len;
	}
	doc_sort(d);
}

void doc_free(struct doc *d)
{
	for (size_t i = 0; i < d->nr; i++) {
		free(d->wants[i].path);
		free(d->wants[i].value);
		free(d->wants[i].perms);
	}
	for (size_t i = 0; i < d->nr_roots; i++)
		free(d->roots[i]);
	free(d->wants);
	free(d->roots);
	free(d->set);
}

const struct want *doc_find(const struct doc *d, const char *path)
{
	struct want key = { .path = (char *)path };

	return d->nr ? bsearch(&key, d->wants, d->nr, sizeof(key), by_path) : NULL;
}

/* ---- making one ---- */

static bool same_perms(const struct xs_node *a, const struct xs_node *b)
{
	return a->perms && b->perms && a->perms_len == b->perms_len &&
	       memcmp(a->perms, b->perms, a->perms_len) == 0;
}

/* The node's own part; children are added by the caller. */
static json_t *own_json(const struct xs_node *n, bool perms)
{
	bool show_perms = perms && n->perms && (!n->parent || !same_perms(n, n->parent));
	json_t *o;

	if (!n->children && !show_perms)
		return json_value(n->value ? n->value : "", n->value_len);
	o = json_object();
	if (n->value_len)
		json_object_set_new(o, "@value", json_value(n->value, n->value_len));
	if (show_perms)
		json_object_set_new(o, "@perms", json_perms(n->perms, n->perms_len));
	return o;
}

static json_t *node_json(const struct xs_node *n, const char *path, bool perms);

static json_t *child_json(const struct xs_node *c, const char *path, bool perms)
{
	char *child;
	json_t *o;

	if (asprintf(&child, "%s/%s", strcmp(path, "/") ? path : "", c->name) < 0)
		cli_die(CLI_FAIL, "out of memory");
	o = node_json(c, child, perms);
	free(child);
	return o;
}

/* The children of a list as an array. NULL: they are not 0, 1, ... */
static json_t *list_json(const struct xs_node *n, const char *path, bool perms)
{
	json_t *list = json_array();
	char name[24];

	for (unsigned int i = 0; i < n->nr_children; i++) {
		const struct xs_node *c;

		snprintf(name, sizeof(name), "%u", i);
		c = xs_tree_child(n, name);
		if (!c) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, child_json(c, path, perms));
	}
	return list;
}

static json_t *node_json(const struct xs_node *n, const char *path, bool perms)
{
	const struct schema_row *row = n->children ? schema_find(path) : NULL;
	json_t *o = own_json(n, perms), *list = NULL;

	/* an array has no place for a value or permissions */
	if (row && row->type == SCHEMA_LIST && json_object_size(o) == 0)
		list = list_json(n, path, perms);
	if (list) {
		json_decref(o);
		return list;
	}
	for (const struct xs_node *c = n->children; c; c = c->next) {
		char name[XENSTORE_ABS_PATH_MAX + 2];

		snprintf(name, sizeof(name), "%s%s", c->name[0] == '@' ? "@" : "", c->name);
		json_object_set_new(o, name, child_json(c, path, perms));
	}
	return o;
}

json_t *tree_to_json(const struct xs_node *root, const char *at, bool perms)
{
	return node_json(root, at, perms);
}
