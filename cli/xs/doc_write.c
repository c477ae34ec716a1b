/* SPDX-License-Identifier: MIT */
/*
 * doc_write.c - see doc_write.h. Most keys and values are text of which every byte stands for
 * itself in
 * JSON: these are written as they are, without a value of jansson's for each.
 */
#include "doc_write.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <xs.h>

#include "die.h"
#include "json_out.h"
#include "kind.h"
#include "name.h"
#include "schema.h"

struct out {
	FILE *f;
	const struct doc_style *style;
	int depth;
};

/* One member of an object: of a child, or the node's own. */
struct member {
	char *key;
	const struct xs_node *child;	/* NULL: own, to be printed as it is: */
	json_t *own;
	const char *number;		/* or this text */
};

struct members {
	struct member *v;
	size_t nr, max;
};

static void line(const struct out *o)
{
	if (o->style->compact)
		return;
	putc_unlocked('\n', o->f);
	for (int i = 0; i < o->depth; i++)
		fwrite_unlocked("  ", 1, 2, o->f);
}

static void begin(struct out *o, char bracket)
{
	putc_unlocked(bracket, o->f);
	o->depth++;
}

static void next(const struct out *o, bool first)
{
	if (!first)
		putc_unlocked(',', o->f);
	line(o);
}

/* An empty one is closed where it was opened. */
static void end(struct out *o, char bracket, bool empty)
{
	o->depth--;
	if (!empty)
		line(o);
	putc_unlocked(bracket, o->f);
}

/* What is left of @v's own lines is indented as the place is: permissions are lists. */
static void put_json(struct out *o, json_t *v)
{
	char *text = must(json_dumps(must(v), JSON_ENCODE_ANY | JSON_SORT_KEYS |
				     (o->style->compact ? JSON_COMPACT : JSON_INDENT(2))));

	for (const char *s = text; *s; s++) {
		if (*s == '\n')
			line(o);
		else
			putc_unlocked(*s, o->f);
	}
	free(text);
	json_decref(v);
}

static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

static void put_plain(const struct out *o, const char *text, size_t len)
{
	putc_unlocked('"', o->f);
	fwrite_unlocked(text, 1, len, o->f);
	putc_unlocked('"', o->f);
}

static void put_key(struct out *o, const char *key)
{
	size_t len = strlen(key);

	if (is_plain(key, len))
		put_plain(o, key, len);
	else
		put_json(o, json_string(key));
	fputs(o->style->compact ? ":" : ": ", o->f);
}

/* ---- members ---- */

/* @key is the members' from now on. */
static struct member *add_own(struct members *m, char *key)
{
	if (m->nr == m->max) {
		m->max = m->max ? 2 * m->max : 8;
		m->v = must(realloc(m->v, m->max * sizeof(*m->v)));
	}
	m->v[m->nr] = (struct member){ .key = key };
	return &m->v[m->nr++];
}

static struct member *add(struct members *m, const char *key)
{
	return add_own(m, must(strdup(key)));
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void add_value(struct members *m, const struct xs_node *n)
{
	struct member *v = add(m, "@value");

	if (n->kind == XS_KIND_NUMBER && kind_fits(XS_KIND_NUMBER, n->value, n->value_len))
		v->number = n->value;
	else
		v->own = kind_json(n->kind, n->value, n->value_len);
}

/* What the child of that name is called in a document. */
static char *key_of(const char *wire)
{
	char *name, *key;

	if (!strchr(wire, '@'))
		return must(strdup(wire));
	name = name_decode(wire);
	if (asprintf(&key, "%s%s", !name ? NAME_WIRE : name[0] == '@' ? "@" : "",
		     name ? name : wire) < 0)
		cli_die(CLI_FAIL, "out of memory");
	free(name);
	return key;
}

static void add_child(struct members *m, const struct xs_node *c)
{
	add_own(m, key_of(c->name))->child = c;
}

/* ---- nodes ---- */

static bool same_perms(const struct xs_node *a, const struct xs_node *b)
{
	return a->perms && b->perms && a->perms_len == b->perms_len &&
	       memcmp(a->perms, b->perms, a->perms_len) == 0;
}

static bool shows_perms(const struct out *o, const struct xs_node *n)
{
	return o->style->perms && n->perms && (!n->parent || !same_perms(n, n->parent));
}

/* What an array was read into, and is still like one. */
static bool is_list(const struct xs_node *n, const char *path)
{
	const struct schema_row *row;
	char name[24];

	if (n->value_len)
		return false;
	if (n->kind != XS_KIND_LIST) {
		row = n->children && n->kind == XS_KIND_TEXT ? schema_find(path) : NULL;
		if (!row || row->type != SCHEMA_LIST)
			return false;
	}
	for (unsigned int i = 0; i < n->nr_children; i++) {
		snprintf(name, sizeof(name), "%u", i);
		if (!xs_tree_child(n, name))
			return false;
	}
	return true;
}

static void put_node(struct out *o, const struct xs_node *n, const char *path);

static void put_child(struct out *o, const struct xs_node *c, const char *path)
{
	size_t up_len = strcmp(path, "/") ? strlen(path) : 0, len = strlen(c->name);
	char *child;

	/* where nothing is below it nobody asks what it is called */
	if (!c->children) {
		put_node(o, c, "");
		return;
	}
	child = must(malloc(up_len + len + 2));
	memcpy(child, path, up_len);
	child[up_len] = '/';
	memcpy(child + up_len + 1, c->name, len + 1);
	put_node(o, c, child);
	free(child);
}

static void put_items(struct out *o, const struct xs_node *n, const char *path)
{
	const struct xs_node **items = must(calloc(n->nr_children + 1, sizeof(*items)));

	for (const struct xs_node *c = n->children; c; c = c->next)
		items[strtoul(c->name, NULL, 10)] = c;
	begin(o, '[');
	for (unsigned int i = 0; i < n->nr_children; i++) {
		next(o, i == 0);
		put_child(o, items[i], path);
	}
	end(o, ']', n->nr_children == 0);
	free(items);
}

static void put_members(struct out *o, struct members *m, const char *path)
{
	qsort(m->v, m->nr, sizeof(*m->v), by_key);
	begin(o, '{');
	for (size_t i = 0; i < m->nr; i++) {
		next(o, i == 0);
		put_key(o, m->v[i].key);
		if (m->v[i].child)
			put_child(o, m->v[i].child, path);
		else if (m->v[i].number)
			fputs(m->v[i].number, o->f);
		else
			put_json(o, m->v[i].own);
		free(m->v[i].key);
	}
	end(o, '}', m->nr == 0);
	free(m->v);
}

static void put_object(struct out *o, const struct xs_node *n, const char *path, bool list)
{
	struct members m = { 0 };

	/* an array has no place for permissions: its items become members then */
	if (list)
		add(&m, "@kind")->own = json_string(kind_name(XS_KIND_LIST));
	if (n->value_len || (!n->children && n->kind != XS_KIND_OBJECT && !list))
		add_value(&m, n);
	if (shows_perms(o, n))
		add(&m, "@perms")->own = json_perms(n->perms, n->perms_len);
	for (const struct xs_node *c = n->children; c; c = c->next)
		add_child(&m, c);
	put_members(o, &m, path);
}

static void put_node(struct out *o, const struct xs_node *n, const char *path)
{
	const char *value = n->value ? n->value : "";
	bool list = is_list(n, path);

	if (shows_perms(o, n))
		put_object(o, n, path, list);
	else if (list)
		put_items(o, n, path);
	else if (n->children)
		put_object(o, n, path, false);
	else if (n->kind == XS_KIND_NUMBER && kind_fits(XS_KIND_NUMBER, value, n->value_len))
		fputs(value, o->f);
	else if (n->kind == XS_KIND_TEXT && is_plain(value, n->value_len))
		put_plain(o, value, n->value_len);
	else
		put_json(o, kind_json(n->kind, value, n->value_len));
}

/* The names of @path as objects around what is at @root. */
static void put_whole(struct out *o, const struct xs_node *root, const char *path, const char *rest)
{
	size_t len = rest[0] ? strcspn(rest + 1, "/") : 0;
	char *name, *key;

	if (!len) {
		put_node(o, root, path);
		return;
	}
	name = must(strndup(rest + 1, len));
	key = key_of(name);
	begin(o, '{');
	next(o, true);
	put_key(o, key);
	put_whole(o, root, path, rest + 1 + len);
	end(o, '}', false);
	free(name);
	free(key);
}

void doc_write(FILE *f, const struct xs_node *root, const char *at, const struct doc_style *style)
{
	struct out o = { .f = f, .style = style };

	if (style->whole)
		put_whole(&o, root, at, at);
	else
		put_node(&o, root, at);
}
