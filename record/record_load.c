/* SPDX-License-Identifier: MIT */
/* record_load.c - see record_load.h. */
#include "record_load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define DEPTH_MAX 4
#define PATH_MAX_LEN 512
#define TRIES_MAX 100

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
	unsigned int nr = 0, len;
	char *value = xs_read(l->xs, l->t, path, &len), **names;
	int err = 0;

	if (!value)
		return errno ? -errno : -EIO;
	/* Directories have no value of their own, items that are empty directories count. */
	if (path[l->root_len])
		err = record_keys_set(l->keys, path + l->root_len + 1, value);
	free(value);
	names = err ? NULL : xs_directory(l->xs, l->t, path, &nr);
	/* Whose keys are not told has not lost them. */
	if (!err && !names)
		err = errno ? -errno : -EIO;
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

int record_load(struct xs_handle *xs, const char *name, struct record_keys *keys)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		xs_transaction_t t = xs_transaction_start(xs);
		int err;

		if (!t)
			return errno ? -errno : -EIO;
		err = record_load_in(xs, t, name, keys);
		/* Also what was not there must have been missing at one moment. */
		if (xs_transaction_end(xs, t, false))
			return err;
		if (errno != EAGAIN)
			return errno ? -errno : -EIO;
		record_keys_free(keys);
	}
	return -EBUSY;
}
