/* SPDX-License-Identifier: MIT */
/*
 * ui_model.c - the tree behind `xs ui`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xen/io/xenbus.h>

#include "die.h"
#include "store.h"
#include "ui_model.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void *must(void *p)
{
	if (!p)
		cli_die(CLI_FAIL, "out of memory");
	return p;
}

static void node_free(struct ui_node *n)
{
	while (n->children) {
		struct ui_node *c = n->children;

		n->children = c->next;
		node_free(c);
	}
	free(n->name);
	free(n->value);
	free(n);
}

/* ---- loading ---- */

static void take_value(struct ui_node *n, const struct xs_node *from, bool fresh)
{
	bool same = n->value && from->value && n->len == from->value_len &&
		    memcmp(n->value, from->value, n->len) == 0;

	if (same)
		return;
	if (!fresh)
		n->changed_ms = now_ms();
	free(n->value);
	n->value = NULL;
	n->len = 0;
	if (from->value) {
		n->value = must(malloc(from->value_len + 1));
		memcpy(n->value, from->value, from->value_len + 1);
		n->len = from->value_len;
	}
}

static struct ui_node *child_of(struct ui_node *n, const char *name)
{
	struct ui_node *c = n->children;

	while (c && strcmp(c->name, name) != 0)
		c = c->next;
	return c;
}

/* Both lists are sorted: what came is put where it belongs, what went is taken out. */
static void merge(struct ui_node *n, const struct xs_node *from, bool first)
{
	struct ui_node **p;

	for (struct ui_node *c = n->children; c; c = c->next)
		c->met = false;
	for (const struct xs_node *f = from->children; f; f = f->next) {
		struct ui_node *c = child_of(n, f->name);
		bool fresh = !c;

		if (!c) {
			c = must(calloc(1, sizeof(*c)));
			c->name = must(strdup(f->name));
			c->parent = n;
			c->depth = n->depth + 1;
			c->changed_ms = first ? 0 : now_ms();
			p = &n->children;
			while (*p && strcmp((*p)->name, c->name) < 0)
				p = &(*p)->next;
			c->next = *p;
			*p = c;
		}
		c->met = true;
		take_value(c, f, fresh);
	}
	for (p = &n->children; *p;) {
		struct ui_node *c = *p;

		if (c->met) {
			p = &c->next;
		} else {
			*p = c->next;
			node_free(c);
		}
	}
}

static int load(struct ui_node *n, bool first)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct xs_node *t;
	int rc;

	model_path(n, path, sizeof(path));
	rc = xs_tree_read(store(), 0, path, 1, XS_TREE_VALUES | XS_TREE_SORT, &t);
	if (rc)
		return rc;
	take_value(n, t, first);
	merge(n, t, first);
	xs_tree_free(t);
	return 0;
}

/* ---- lines ---- */

static void line_add(struct ui_model *m, struct ui_node *n)
{
	if (m->nr_lines == m->max_lines) {
		m->max_lines = m->max_lines ? m->max_lines * 2 : 256;
		m->lines = must(realloc(m->lines, m->max_lines * sizeof(*m->lines)));
	}
	m->lines[m->nr_lines++] = n;
}

static void lines_below(struct ui_model *m, struct ui_node *n)
{
	line_add(m, n);
	if (n->open)
		for (struct ui_node *c = n->children; c; c = c->next)
			lines_below(m, c);
}

static void make_lines(struct ui_model *m)
{
	m->nr_lines = 0;
	lines_below(m, m->root);
}

static void refresh_below(struct ui_node *n)
{
	if (!n->open)
		return;
	load(n, false);
	for (struct ui_node *c = n->children; c; c = c->next)
		refresh_below(c);
}

int model_refresh(struct ui_model *m)
{
	int rc = load(m->root, false);

	if (rc)
		return rc;
	for (struct ui_node *c = m->root->children; c; c = c->next)
		refresh_below(c);
	make_lines(m);
	return 0;
}

int model_init(struct ui_model *m, const char *path)
{
	int rc;

	*m = (struct ui_model){ .root = must(calloc(1, sizeof(*m->root))) };
	m->root->name = must(strdup(path));
	m->root->open = true;
	rc = load(m->root, true);
	make_lines(m);
	return rc;
}

void model_free(struct ui_model *m)
{
	node_free(m->root);
	free(m->lines);
}

void model_open(struct ui_model *m, struct ui_node *n, bool open)
{
	if (open && !n->children)
		load(n, true);
	n->open = open && n->children;
	make_lines(m);
}

struct ui_node *model_reach(struct ui_model *m, const char *path)
{
	size_t root_len = strlen(m->root->name);
	struct ui_node *n = m->root;
	char *copy, *save, *name;

	if (strncmp(path, m->root->name, root_len) != 0)
		return NULL;
	copy = must(strdup(path + root_len));
	for (name = strtok_r(copy, "/", &save); name && n; name = strtok_r(NULL, "/", &save)) {
		model_open(m, n, true);
		n = child_of(n, name);
	}
	free(copy);
	return n;
}

size_t model_line_of(const struct ui_model *m, const struct ui_node *n)
{
	for (; n; n = n->parent)
		for (size_t i = 0; i < m->nr_lines; i++)
			if (m->lines[i] == n)
				return i;
	return 0;
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

/* ---- meaning ---- */

static const char *const states[] = {
	[XenbusStateInitialising] = "Initialising", [XenbusStateInitWait] = "InitWait",
	[XenbusStateInitialised] = "Initialised",   [XenbusStateConnected] = "Connected",
	[XenbusStateClosing] = "Closing",           [XenbusStateClosed] = "Closed",
};

/* Xen's numbering of virtual block devices: major 202, sixteen minors a disk. */
static const char *disk_name(long id, char *buf, size_t size)
{
	if (id >> 8 != 202)
		return NULL;
	snprintf(buf, size, "xvd%c", (int)('a' + (id & 0xff) / 16));
	if (id & 15)
		snprintf(buf + 4, size - 4, "%ld", id & 15);
	return buf;
}

const char *model_meaning(const struct ui_node *n, char *buf, size_t size)
{
	long v = n->value ? atol(n->value) : 0;

	if (strcmp(n->name, "state") == 0 && v > 0 && v <= XenbusStateClosed)
		return states[v];
	if (strcmp(n->name, "virtual-device") == 0)
		return disk_name(v, buf, size);
	if (n->parent && strcmp(n->parent->name, "vbd") == 0)
		return disk_name(atol(n->name), buf, size);
	if (n->parent && strcmp(n->parent->name, "memory") == 0 && v >= 1024) {
		snprintf(buf, size, "%ld MiB", v / 1024);
		return buf;
	}
	return NULL;
}
