/* SPDX-License-Identifier: MIT */
/*
 * ui_model.c - see ui_model.h; the lines are made in ui_lines.c. Children are arrays in order, so
 * that a thousand changes a second among ten thousand siblings cost a search each, not a walk.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_value.h"
#include "ui_model.h"

static struct ui_node *node_create(struct ui_node *parent, const char *name)
{
	struct ui_node *n = must(calloc(1, sizeof(*n)));

	n->name = must(strdup(name));
	n->parent = parent;
	n->depth = parent ? parent->depth + 1 : 0;
	n->stale_value = n->stale_list = true;
	return n;
}

static void node_free(struct ui_node *n)
{
	for (size_t i = 0; i < n->nr_children; i++)
		node_free(n->children[i]);
	free(n->children);
	free(n->name);
	free(n->value);
	free(n);
}

void model_init(struct ui_model *m, const char *path)
{
	*m = (struct ui_model){ .root = node_create(NULL, path), .moved = true };
	m->root->open = true;
	m->cursor = m->root;
}

void model_fini(struct ui_model *m)
{
	model_set_view(m, VIEW_TREE);
	free(m->filter);
	node_free(m->root);
	free(m->line);
}

/* ---- order and search ---- */

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

int model_compare(const char *a, const char *b)
{
	bool na = is_number(a), nb = is_number(b);
	size_t za = strspn(a, "0"), zb = strspn(b, "0"), la = strlen(a), lb = strlen(b);
	int c;

	if (na != nb)
		return na ? -1 : 1;
	if (!na)
		return strcmp(a, b);
	if (la - za != lb - zb)
		return la - za < lb - zb ? -1 : 1;
	c = strcmp(a + za, b + zb);
	return c ? c : (za > zb) - (za < zb);
}

static struct ui_node *child_of(const struct ui_node *n, const char *name)
{
	size_t low = 0, high = n->nr_children;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = model_compare(name, n->children[mid]->name);

		if (c == 0)
			return n->children[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* Goes down along @path. Whether all of it was found; the last node in *@at (NULL: outside). */
static bool descend(const struct ui_model *m, const char *path, struct ui_node **at)
{
	size_t root_len = strlen(m->root->name);
	char name[256];

	*at = NULL;
	if (strcmp(m->root->name, "/") == 0)
		root_len = 0;
	if (strncmp(path, m->root->name, root_len) != 0 ||
	    (path[root_len] && path[root_len] != '/'))
		return false;
	*at = m->root;
	for (path += root_len; *path;) {
		size_t len;
		struct ui_node *c;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (!len)
			break;
		if (len >= sizeof(name))
			return false;
		memcpy(name, path, len);
		name[len] = '\0';
		c = child_of(*at, name);
		if (!c)
			return false;
		*at = c;
		path += len;
	}
	return true;
}

struct ui_node *model_find(const struct ui_model *m, const char *path)
{
	struct ui_node *n;

	return descend(m, path, &n) ? n : NULL;
}

struct ui_node *model_nearest(const struct ui_model *m, const char *path)
{
	struct ui_node *n;

	descend(m, path, &n);
	return n;
}

void model_path(const struct ui_node *n, char *buf, size_t size)
{
	size_t len;

	if (!n->parent) {
		snprintf(buf, size, "%s", n->name);
		return;
	}
	model_path(n->parent, buf, size);
	len = strlen(buf);
	snprintf(buf + len, size - len, "%s%s", buf[len - 1] == '/' ? "" : "/", n->name);
}

/* ---- what is to be read again ---- */

void model_touch(struct ui_model *m, const char *path)
{
	struct ui_node *n;

	if (descend(m, path, &n)) {
		/* written, or removed and perhaps made anew: then nothing below is known either */
		n->stale_below = true;
	} else if (n) {
		n->stale_list = true;
	}
}

static void spread(struct ui_node *n, bool stale)
{
	if (n->stale_below || stale) {
		n->stale_value = n->stale_list = stale = true;
		n->stale_below = false;
	}
	for (size_t i = 0; i < n->nr_children; i++)
		spread(n->children[i], stale);
}

void model_settle(struct ui_model *m)
{
	spread(m->root, false);
}

/* ---- what was read ---- */

void model_set_value(struct ui_model *m, struct ui_node *n, const char *value, size_t len, int rc,
		     int64_t now_ms)
{
	bool known = n->value || n->value_rc;
	bool same = known && n->value_rc == rc && n->len == len && (!value) == (!n->value) &&
		    (!value || memcmp(n->value, value, len) == 0);

	if (same)
		return;
	if (known) {
		n->changed_ms = now_ms;
		n->change = ++m->newest;
	}
	m->moved = m->moved || model_needs_all(m);
	free(n->value);
	n->value = NULL;
	n->value_rc = rc;
	n->len = len;
	if (value) {
		n->value = must(malloc(len + 1));
		memcpy(n->value, value, len);
		n->value[len] = '\0';
	}
}

void model_set_change(struct ui_model *m, struct ui_node *n, uint64_t change)
{
	n->change = change;
	m->newest = change > m->newest ? change : m->newest;
}

static int by_name(const void *a, const void *b)
{
	return model_compare(*(const char *const *)a, *(const char *const *)b);
}

static bool is_inside(const struct ui_node *n, const struct ui_node *top)
{
	while (n && n != top)
		n = n->parent;
	return n == top;
}

/* Frees the old child @c. Whether the cursor was in it: it points nowhere then. */
static bool drop(struct ui_model *m, struct ui_node *c)
{
	bool lost = is_inside(m->cursor, c);

	node_free(c);
	m->moved = true;
	return lost;
}

/* The cursor's place is gone: to what is at index @i now, or the last, or the directory itself. */
static void place_cursor(struct ui_model *m, struct ui_node *dir, size_t i)
{
	size_t last = dir->nr_children - 1;

	m->cursor = dir->nr_children ? dir->children[i < last ? i : last] : dir;
}

/* The names, sorted, as pointers into @names. */
static const char **sort_names(const char *names, size_t len, size_t *nr)
{
	const char **sorted;
	size_t at = 0;

	*nr = 0;
	for (size_t i = 0; i < len; i += strlen(names + i) + 1)
		++*nr;
	sorted = must(calloc(*nr + 1, sizeof(*sorted)));
	/* parts of a long value are none of its children */
	for (size_t i = 0; i < len; i += strlen(names + i) + 1)
		if (!long_is_part(names + i, NULL))
			sorted[at++] = names + i;
	*nr = at;
	qsort(sorted, *nr, sizeof(*sorted), by_name);
	return sorted;
}

void model_set_children(struct ui_model *m, struct ui_node *n, const char *names, size_t len)
{
	size_t nr, at = 0, old_nr = n->nr_children, lost_at = SIZE_MAX;
	const char **sorted = sort_names(names, len, &nr);
	struct ui_node **old = n->children, **fresh = must(calloc(nr + 1, sizeof(*fresh)));

	for (size_t i = 0; i <= nr; i++) {
		while (at < old_nr && (i == nr || model_compare(old[at]->name, sorted[i]) < 0))
			if (drop(m, old[at++]))
				lost_at = i;
		if (i == nr)
			break;
		if (at < old_nr && strcmp(old[at]->name, sorted[i]) == 0) {
			fresh[i] = old[at++];
		} else {
			fresh[i] = node_create(n, sorted[i]);
			m->moved = true;
		}
	}
	free(sorted);
	free(old);
	n->children = fresh;
	n->nr_children = nr;
	n->listed = true;
	n->has_children = nr > 0;
	if (lost_at != SIZE_MAX)
		place_cursor(m, n, lost_at);
}

void model_remove(struct ui_model *m, struct ui_node *n)
{
	struct ui_node *p = n->parent;
	size_t i = 0;
	bool lost;

	if (!p) {
		model_set_children(m, n, NULL, 0);
		return;
	}
	while (p->children[i] != n)
		i++;
	lost = drop(m, n);
	memmove(p->children + i, p->children + i + 1,
		(p->nr_children - i - 1) * sizeof(p->children[0]));
	p->nr_children--;
	p->has_children = p->nr_children > 0;
	if (lost)
		place_cursor(m, p, i);
}

void model_open(struct ui_model *m, struct ui_node *n, bool open)
{
	if (n->open == open)
		return;
	n->open = open;
	n->stale_list = n->stale_list || (open && !n->listed);
	if (!open && is_inside(m->cursor, n))
		m->cursor = n;
	m->moved = true;
}
