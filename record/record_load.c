/* SPDX-License-Identifier: MIT */
/* record_load.c - see record_load.h. */
#include "record_load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "xs_easy.h"

#define DEPTH_MAX 4
#define PATH_MAX_LEN 512

struct load {
	struct xs_handle *xs;
	xs_transaction_t t;
	size_t root_len;
	struct record_keys *keys;
};

static int walk(struct load *l, const char *path, unsigned int depth);

static int walk_child(struct load *l, const char *path, const char *name, unsigned int depth)
{
	char child[PATH_MAX_LEN];

	/* No key of a record is that long: somebody's own. */
	if (snprintf(child, sizeof(child), "%s/%s", path, name) >= (int)sizeof(child))
		return 0;
	return walk(l, child, depth);
}

/* A node that vanished while it was looked for means that the commit fails. */
static int walk(struct load *l, const char *path, unsigned int depth)
{
	char *value = xs_easy_read(l->xs, l->t, path), **names;
	unsigned int nr = 0;
	int err = 0;

	if (!value)
		return -errno;
	/* Directories have no value of their own, items that are empty directories count. */
	if (path[l->root_len])
		err = record_keys_set(l->keys, path + l->root_len + 1, value);
	free(value);
	names = err ? NULL : xs_easy_list(l->xs, l->t, path, &nr);
	/* Whose keys are not told has not lost them. */
	if (!err && !names)
		err = -errno;
	for (unsigned int i = 0; names && i < nr && !err && depth < DEPTH_MAX; i++)
		err = walk_child(l, path, names[i], depth + 1);
	free(names);
	return err;
}

int record_load_in(struct xs_handle *xs, xs_transaction_t t, const char *name,
		   struct record_keys *keys)
{
	char path[PATH_MAX_LEN], plain[PATH_MAX_LEN];
	struct load l = { xs, t, 0, keys };
	int err;

	if (snprintf(plain, sizeof(plain), RECORD_ROOT "/%s", name) >= (int)sizeof(plain) ||
	    !domain_name_path(plain, path, sizeof(path)))
		return -ENOENT;
	l.root_len = strlen(path);
	err = walk(&l, path, 0);
	return !err && !keys->nr ? -ENOENT : err;
}

struct whole {
	const char *name;
	struct record_keys *keys;
	bool absent;
};

/* Also what was not there must have been missing at one moment: that is committed, too. */
static int load_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct whole *w = arg;
	int err;

	record_keys_free(w->keys);
	err = record_load_in(xs, t, w->name, w->keys);
	w->absent = err == -ENOENT;
	return w->absent ? 0 : err;
}

int record_load(struct xs_handle *xs, const char *name, struct record_keys *keys)
{
	struct whole w = { .name = name, .keys = keys };
	int err = xs_easy_transact(xs, load_body, &w);

	return !err && w.absent ? -ENOENT : err;
}
