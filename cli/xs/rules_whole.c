/* SPDX-License-Identifier: MIT */
/* rules_whole.c - see rules_whole.h. */
#include "rules_whole.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs_tree.h>

#include "long_value.h"
#include "store.h"
#include "watch_state.h"

/* A node as it is, and which children it has. */
struct sight_node {
	const struct rules_sight *s;
	const char *path;
	struct xs_node *node, *names;
	struct rule_family family;
};

static void child_path(const char *path, const char *name, char child[2 * XENSTORE_ABS_PATH_MAX])
{
	snprintf(child, 2 * XENSTORE_ABS_PATH_MAX, "%s/%s", path[1] ? path : "", name);
}

static bool is_gone(const struct rules_sight *s, const char *child)
{
	return s->gone && strcmp(s->gone, child) == 0;
}

static bool is_there(const void *arg, const char *name)
{
	const struct sight_node *n = arg;
	char child[2 * XENSTORE_ABS_PATH_MAX];

	child_path(n->path, name, child);
	if (n->s->made && path_is_below(child, n->s->made))
		return true;
	return !is_gone(n->s, child) && n->names && xs_tree_child(n->names, name);
}

static bool has_any(const struct sight_node *n)
{
	char child[2 * XENSTORE_ABS_PATH_MAX];

	if (n->s->made && path_is_below(n->path, n->s->made) && strcmp(n->path, n->s->made) != 0)
		return true;
	for (const struct xs_node *c = n->names ? n->names->children : NULL; c; c = c->next) {
		child_path(n->path, c->name, child);
		if (!is_gone(n->s, child))
			return true;
	}
	return false;
}

static void seen_fini(struct sight_node *n)
{
	xs_tree_free(n->node);
	xs_tree_free(n->names);
	*n = (struct sight_node){ 0 };
}

/* 0; -ENOENT: it is not there, or nobody may say; -errno. */
static int look(const struct rules_sight *s, const char *path, struct sight_node *n)
{
	bool made = s->made && path_is_below(path, s->made);
	int rc;

	*n = (struct sight_node){ .s = s, .path = path, .family = { .has = is_there, .arg = n } };
	if (s->gone && path_is_below(s->gone, path))
		return -ENOENT;
	rc = xs_tree_read(store(), s->tx, path, 0, XS_TREE_VALUES | XS_TREE_KINDS, &n->node);
	if (!rc)
		rc = xs_tree_read(store(), s->tx, path, 1, 0, &n->names);
	if (rc == -EACCES || (rc == -ENOENT && !made))
		rc = -ENOENT;
	else if (rc == -ENOENT)
		rc = 0;
	n->family.any = has_any(n);
	return rc;
}

static struct rule_value value_of(const struct sight_node *n)
{
	struct rule_value v = { .bytes = "", .kind = RULE_ANY_KIND };

	if (n->node)
		v = rules_value_of(n->node);
	return v;
}

static void ask_wants(void *arg, const struct rule *at, bool needed)
{
	(void)needed;
	*(bool *)arg |= at->nr_required > 0 || at->min_items.at > 0;
}

/*
 * Whether the children that are there are what makes @rule refuse it: its value is not looked at
 * anew.
 */
static bool misses(const struct rule *rule, const char *tail, const struct sight_node *n, struct rule_fault *fault)
{
	struct rule_value v = value_of(n);

	if (!rule_allows(rule, tail, &v, fault))
		return false;
	v.family = &n->family;
	return !rule_allows(rule, tail, &v, fault);
}

static int one_whole(struct rules_one *one, const struct rules_sight *s, const char *path, struct sight_node *n,
		     struct rules_missing *m)
{
	const char *tail = rules_tail(one->at, path);
	const struct rule *rule = tail ? rules_rule(one) : NULL;
	struct rule_fault fault;
	bool wants = false;
	int rc = 0;

	if (!rule || !rule_wants_children(rule) || (rule_each(rule, tail, ask_wants, &wants) && !wants))
		return 0;
	if (!n->s)
		rc = look(s, path, n);
	if (rc || !misses(rule, tail, n, &fault))
		return rc;
	snprintf(m->at, sizeof(m->at), "%s", path);
	snprintf(m->why, sizeof(m->why), "%s (%s of schema %.100s)", fault.text, fault.keyword, one->name);
	return -EINVAL;
}

int rules_whole(struct rules *r, const struct rules_sight *s, const char *path, const char *before,
		struct rules_missing *m)
{
	char at[XENSTORE_ABS_PATH_MAX + 1];
	int rc = 0;

	m->why[0] = '\0';
	snprintf(at, sizeof(at), "%s", path);
	/* of what is not held nothing above it was looked at */
	if (before && path_is_below(RULES_HOME, before))
		before = NULL;
	while (!rc && r->nr && !path_is_below(RULES_HOME, at) && !(before && path_is_below(at, before))) {
		struct sight_node n = { 0 };
		char *slash = strrchr(at, '/');

		for (size_t i = 0; i < r->nr && !rc; i++)
			rc = one_whole(&r->v[i], s, at, &n, m);
		seen_fini(&n);
		if (rc == -ENOENT)
			rc = 0;
		if (!slash || !at[1])
			break;
		slash[slash == at] = '\0';
	}
	return rc;
}

int rules_whole_paths(uint32_t tx, const char *const *paths, size_t nr, struct rules_missing *m)
{
	const struct rules_sight s = { .tx = tx };
	struct rules r;
	int rc = rules_read(&r, tx);

	/*
	 * one that is none has been told of where a value is written, and holds nobody who removes
	 */
	for (size_t i = 0; i < r.nr; i++)
		r.v[i].quiet = true;
	for (size_t i = 0; i < nr && !rc; i++)
		rc = rules_whole(&r, &s, paths[i], i ? paths[i - 1] : NULL, m);
	rules_free(&r);
	return rc;
}
