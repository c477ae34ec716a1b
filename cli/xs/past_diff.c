/* SPDX-License-Identifier: MIT */
/* past_diff.c - see past_diff.h. Two trees are walked side by side, by name. */
#include "past_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_out.h"
#include "past.h"
#include "store.h"
#include "text.h"

#define DIFFERS 1

struct sides {
	struct xs_node *was, *is;	/* the roots; their paths may differ */
	json_t *list;
	size_t nr;
};

bool past_diff_asked(const struct cli_args *a)
{
	uint64_t rev;
	char *path;
	bool named = a->argc >= 1 && past_named(a->argv[0], &path, &rev);

	if (named)
		free(path);
	return named;
}

static json_t *side_json(const struct xs_node *n)
{
	return n && n->value ? json_value(n->value, n->value_len) : json_null();
}

static void show(struct sides *s, const struct xs_node *was, const struct xs_node *is)
{
	char path[3200];
	char *old = text_escape(was && was->value ? was->value : "", was ? was->value_len : 0);
	char *new = text_escape(is && is->value ? is->value : "", is ? is->value_len : 0);

	xs_tree_path(is ? is : was, path, sizeof(path));
	s->nr++;
	if (s->list)
		json_array_append_new(s->list, json_pack("{s:s, s:o, s:o}", "path", path, "was",
							 side_json(was), "is", side_json(is)));
	else if (!was)
		printf("+ %s = %s\n", path, new);
	else if (!is)
		printf("- %s = %s\n", path, old);
	else
		printf("~ %s = %s -> %s\n", path, old, new);
	free(old);
	free(new);
}

static bool same(const struct xs_node *a, const struct xs_node *b)
{
	if (!a->value || !b->value)
		return !a->value == !b->value;
	return a->value_len == b->value_len && memcmp(a->value, b->value, a->value_len) == 0 &&
	       a->perms_len == b->perms_len &&
	       (!a->perms_len || memcmp(a->perms, b->perms, a->perms_len) == 0);
}

/* A whole subtree that is on one side only. */
static void show_all(struct sides *s, const struct xs_node *root, bool gone)
{
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n))
		show(s, gone ? n : NULL, gone ? NULL : n);
}

static void compare(struct sides *s, const struct xs_node *was, const struct xs_node *is)
{
	if (!same(was, is))
		show(s, was->value ? was : NULL, is->value ? is : NULL);
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

int past_diff(const struct cli_args *a)
{
	uint64_t rev = 0, other_rev = PAST_NOW;
	char *path = NULL, *other = NULL;
	struct sides s = { .list = a->json ? json_array() : NULL };

	past_named(a->argv[0], &path, &rev);
	if (a->argc < 2)
		other = must(strdup(path));
	else if (!past_named(a->argv[1], &other, &other_rev))
		other = store_path(a->argv[1]);
	s.was = past_tree(path, rev);
	s.is = past_tree(other, other_rev);
	compare(&s, s.was, s.is);
	if (s.list)
		json_print(s.list);
	xs_tree_free(s.was);
	xs_tree_free(s.is);
	free(path);
	free(other);
	return s.nr ? DIFFERS : CLI_OK;
}
