/* SPDX-License-Identifier: MIT */
/* past_diff.c - see past_diff.h. */
#include "past_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_out.h"
#include "past.h"
#include "store.h"
#include "text.h"
#include "tree_diff.h"

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

static void show(void *arg, const struct xs_node *was, const struct xs_node *is)
{
	struct sides *s = arg;
	char path[3200];
	char *old = text_escape(was && was->value ? was->value : "", was ? was->value_len : 0);
	char *new = text_escape(is && is->value ? is->value : "", is ? is->value_len : 0);

	xs_tree_path(is ? is : was, path, sizeof(path));
	s->nr++;
	if (s->list)
		json_array_append_new(s->list, tree_diff_json(was, is));
	else if (!was)
		printf("+ %s = %s\n", path, new);
	else if (!is)
		printf("- %s = %s\n", path, old);
	else
		printf("~ %s = %s -> %s\n", path, old, new);
	free(old);
	free(new);
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
	tree_diff(s.was, s.is, show, &s);
	if (s.list)
		json_print(s.list);
	xs_tree_free(s.was);
	xs_tree_free(s.is);
	free(path);
	free(other);
	return s.nr ? DIFFERS : CLI_OK;
}
