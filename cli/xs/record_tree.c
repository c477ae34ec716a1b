/* SPDX-License-Identifier: MIT */
/* record_tree.c - see record_tree.h. */
#include "record_tree.h"

#include <string.h>

#include <xs.h>
#include <xs_tree.h>

#include "die.h"

void record_keys_of_tree(struct record_keys *keys, const struct xs_node *dir)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	size_t root = strlen(dir->name) + 1;

	for (const struct xs_node *n = xs_tree_next(dir, dir); n; n = xs_tree_next(dir, n)) {
		if (xs_tree_path(n, path, sizeof(path)) >= sizeof(path))
			continue;
		if (record_keys_set(keys, path + root, n->value ? n->value : ""))
			cli_die(CLI_FAIL, "out of memory");
	}
}
