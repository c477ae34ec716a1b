/* SPDX-License-Identifier: MIT */
/*
 * store_shrink.c - gives back memory that a live environment does not use any more: LMDB's file
 * never ends below the last page it has used, so what is there is copied to a new one.
 *
 * The copy is made next to the old one and takes its place by one exchange of names, so a kill
 * leaves one of the two, and both say the same. In order of the keys, with MDB_APPEND: its pages
 * are full.
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

/* Calls, one a second, that a failure is not tried again. */
#define PAUSE 60u

static int copy_table(struct store *from, struct store *to, enum store_table t)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int ret = 0, rc = 0;

	store_must("copy", mdb_cursor_open(from->txn, from->dbi[t], &cursor));
	while (ret == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		/* Damage is to be found where it is, not carried on. */
		if (!store_record_whole(t, &key, &value))
			store_must(store_table_name[t], MDB_CORRUPTED);
		ret = store_room(to, 1, value.mv_size, true);
		if (ret == 0)
			store_append(to, t, &key, &value);
	}
	mdb_cursor_close(cursor);
	if (ret == 0 && rc != MDB_NOTFOUND)
		store_must(store_table_name[t], rc);
	return ret == 0 && store_count(from, t) != store_count(to, t) ? -EIO : ret;
}

static int copy(struct store *l, const char *dir, struct store **out)
{
	struct store *to = calloc(1, sizeof(*to));
	int ret;

	*out = to;
	if (!to)
		return -ENOMEM;
	to->fd = -1;
	store_env_remove(dir);
	ret = mkdir(dir, 0700) < 0 ? -errno : store_env_open(to, dir);
	for (int t = 0; t < STORE_TABLES && ret == 0; t++)
		ret = copy_table(l, to, (enum store_table)t);
	if (ret == 0)
		store_commit(to);
	if (ret == 0 && renameat2(AT_FDCWD, dir, AT_FDCWD, l->dir, RENAME_EXCHANGE) < 0)
		ret = -errno;
	return ret;
}

/* @l goes on with the environment of @copy, which gets the old one. */
static void exchange(struct store *l, struct store *copy)
{
	const struct store old = *l;

	*l = *copy;
	memcpy(l->dir, old.dir, sizeof(l->dir));
	l->before = old.before;
	l->before_arg = old.before_arg;
	l->commits = old.commits + 1;
	if (old.overdrawn > l->overdrawn)
		l->overdrawn = old.overdrawn;
	*copy = old;
}

bool store_shrink(struct store *l, uint64_t least)
{
	uint64_t size, unused;
	struct store *other;
	char dir[600];
	int ret;

	if (!l->dir[0] || l->dirty || l->size < least)
		return false;
	if (l->shrink_pause > 0) {
		l->shrink_pause--;
		return false;
	}
	store_usage(l, &size, &unused);
	if (size - unused > size / STORE_SHRINK_BY)
		return false;
	snprintf(dir, sizeof(dir), "%s.new", l->dir);
	ret = copy(l, dir, &other);
	if (ret == 0) {
		exchange(l, other);
	} else {
		l->shrink_pause = PAUSE;
		log_warnx("the live store keeps %llu MiB that it does not need: %s",
			  (unsigned long long)unused >> 20, strerror(-ret));
	}
	store_close(other);
	store_env_remove(dir);
	return ret == 0;
}
