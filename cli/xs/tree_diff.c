/* SPDX-License-Identifier: MIT */
/* tree_diff.c - see tree_diff.h. */
#include "tree_diff.h"

#include <stdbool.h>
#include <string.h>

#include <xs.h>

#include "json_out.h"

struct walk {
	tree_diff_fn *fn;
	void *arg;
};

static bool same(const struct xs_node *a, const struct xs_node *b)
{
	if (!a->value || !b->value)
		return !a->value == !b->value;
	return a->value_len == b->value_len && memcmp(a->value, b->value, a->value_len) == 0 &&
	       a->perms_len == b->perms_len &&
	       (!a->perms_len || memcmp(a->perms, b->perms, a->perms_len) == 0);
}

/* A whole subtree that is on one side only. */
static void show_all(struct walk *s, const struct xs_node *root, bool gone)
{
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n))
		s->fn(s->arg, gone ? n : NULL, gone ? NULL : n);
}

static void compare(struct walk *s, const struct xs_node *was, const struct xs_node *is)
{
	if (!same(was, is))
		s->fn(s->arg, was->value ? was : NULL, is->value ? is : NULL);
	for (const struct xs_node *n = was->children; n; n = n->next) {
		const struct xs_node *other = xs_tree_child(is, n->name);

		if (other)
			compare(s, n, other);
		else
			show_all(s, n, true);
	}
	for (const struct xs_node *n = is->children; n; n = n->next) {
		if (!xs_tree_child(was, n->name))
			show_all(s, n, false);
	}
}

void tree_diff(const struct xs_node *was, const struct xs_node *is, tree_diff_fn *fn, void *arg)
{
	compare(&(struct walk){ fn, arg }, was, is);
}

static json_t *side_json(const struct xs_node *n)
{
	return n && n->value ? json_value(n->value, n->value_len) : json_null();
}

json_t *tree_diff_json(const struct xs_node *was, const struct xs_node *is)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];

	xs_tree_path(is ? is : was, path, sizeof(path));
	return json_pack("{s:s, s:o, s:o}", "path", path, "was", side_json(was), "is",
			 side_json(is));
}
