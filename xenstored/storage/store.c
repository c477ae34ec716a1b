/* SPDX-License-Identifier: MIT */
/*
 * store.c - see store.h. Owns the environment and its transaction; the room in it: store_room.c;
 * what a start makes of what it finds: store_start.c. LMDB's calls that can fail only by damage or
 * for want of memory end the process: store_die().
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change_record.h"
#include "checked.h"
#include "log.h"
#include "store_mark.h"

const char *const store_table_name[STORE_TABLES] = {
	[STORE_META] = "meta",	  [STORE_NODE] = "node",	    [STORE_CHILD] = "child",
	[STORE_NAMED] = "names",	  [STORE_DOMAIN] = "domain", [STORE_RING] = "ring",
	[STORE_WATCH] = "watch",	  [STORE_TXN] = "txn",	    [STORE_SESSION] = "session",
	[STORE_BOND] = "bond",	  [STORE_QUEUE] = "queue",
};

const char store_names_before[] = "named";

bool store_table_may_lack(enum store_table t)
{
	return t == STORE_BOND || t == STORE_NAMED;
}

/* For checked.h. The queue's is CHANGE_DB: its reader is the disk half. */
static const char letter[STORE_TABLES] = {
	[STORE_META] = 'M', [STORE_NODE] = 'N',  [STORE_CHILD] = 'C', [STORE_NAMED] = 'P',
	[STORE_DOMAIN] = 'D', [STORE_RING] = 'R', [STORE_WATCH] = 'W', [STORE_TXN] = 'T',
	[STORE_SESSION] = 'S', [STORE_BOND] = 'B', [STORE_QUEUE] = CHANGE_DB,
};

/* Nothing of the turn has been told to anybody: the next start goes on from the last commit. */
_Noreturn void store_die(const char *what, int rc)
{
	log_errorx("the live store cannot be used any more (%s: %s): ending; the next start goes "
		   "on from the last commit",
		   what, mdb_strerror(rc));
	_exit(STORE_LOST);
}


bool store_record_whole(enum store_table t, const MDB_val *key, const MDB_val *value)
{
	const unsigned char *record;
	size_t len;

	return checked_open(letter[t], key->mv_data, key->mv_size, value->mv_data, value->mv_size,
			    &record, &len) == 0;
}

void store_txn_begin(struct store *l)
{
	store_must("begin", mdb_txn_begin(l->env, NULL, 0, &l->txn));
	store_mark_done(l->mark, mdb_txn_id(l->txn) - 1);
	l->dirty = false;
	room_begin(l);
}

void store_txn_commit(struct store *l)
{
	if (l->before)
		l->before(l->before_arg);
	room_before_commit(l);
	store_mark_begin(l->mark, mdb_txn_id(l->txn));
	store_must("commit", mdb_txn_commit(l->txn));
	room_committed(l);
	l->txn = NULL;
	memset(l->cursor, 0, sizeof(l->cursor));
	memset(l->scan, 0, sizeof(l->scan));
	l->commits++;
}

void store_txn_drop(struct store *l)
{
	mdb_txn_abort(l->txn);
	l->txn = NULL;
	memset(l->cursor, 0, sizeof(l->cursor));
	memset(l->scan, 0, sizeof(l->scan));
}

void store_commit(struct store *l)
{
	if (!l->dirty) {
		room_again(l);
		return;
	}
	store_txn_commit(l);
	room_keep_margin(l);
	store_txn_begin(l);
}

void store_before_commit(struct store *l, void (*before)(void *arg), void *arg)
{
	l->before = before;
	l->before_arg = arg;
}

bool store_dirty(const struct store *l)
{
	return l->dirty;
}

uint64_t store_commits(const struct store *l)
{
	return l->commits;
}

static MDB_cursor *cursor_of(struct store *l, MDB_cursor **c, enum store_table t)
{
	if (!*c)
		store_must("cursor", mdb_cursor_open(l->txn, l->dbi[t], c));
	return *c;
}

/* By a cursor: it looks first where it was the last time, which is often the right page. */
bool store_get(struct store *l, enum store_table t, const void *key, size_t key_len,
	       struct store_bytes *out)
{
	MDB_val k = { key_len, (void *)key }, v;
	int rc = mdb_cursor_get(cursor_of(l, &l->cursor[t], t), &k, &v, MDB_SET);

	if (rc == MDB_NOTFOUND)
		return false;
	store_must(store_table_name[t], rc);
	if (!store_record_whole(t, &k, &v))
		store_die(store_table_name[t], MDB_CORRUPTED);
	*out = (struct store_bytes){ (const char *)v.mv_data + STORE_HEAD, v.mv_size - STORE_HEAD };
	return true;
}

static void changed(struct store *l, enum store_table t)
{
	l->dirty = true;
	l->changes++;
	l->changed |= 1u << t;
}

void store_put(struct store *l, enum store_table t, const void *key, size_t key_len, void *rec,
	       size_t len)
{
	MDB_val k = { key_len, (void *)key }, v = { len, rec };

	checked_seal(letter[t], key, key_len, rec, len);
	if (t == STORE_NODE || t == STORE_CHILD || t == STORE_NAMED)
		split_put(l, t, cursor_of(l, &l->cursor[t], t), &k, &v);
	else
		store_must(store_table_name[t],
			   mdb_cursor_put(cursor_of(l, &l->cursor[t], t), &k, &v, 0));
	changed(l, t);
}

void store_append(struct store *l, enum store_table t, MDB_val *key, MDB_val *value)
{
	store_must(store_table_name[t], mdb_put(l->txn, l->dbi[t], key, value, MDB_APPEND));
	changed(l, t);
}

void store_del(struct store *l, enum store_table t, const void *key, size_t key_len)
{
	MDB_val k = { key_len, (void *)key };
	int rc = mdb_del(l->txn, l->dbi[t], &k, NULL);

	if (rc == MDB_NOTFOUND)
		return;
	store_must(store_table_name[t], rc);
	changed(l, t);
}

static bool step(struct store *l, enum store_table t, MDB_val *k, MDB_cursor_op op,
		 struct store_bytes *found, struct store_bytes *out)
{
	MDB_val v;
	int rc = mdb_cursor_get(cursor_of(l, &l->scan[t], t), k, &v, op);

	if (rc == MDB_NOTFOUND)
		return false;
	store_must(store_table_name[t], rc);
	if (!store_record_whole(t, k, &v))
		store_die(store_table_name[t], MDB_CORRUPTED);
	*found = (struct store_bytes){ k->mv_data, k->mv_size };
	*out = (struct store_bytes){ (const char *)v.mv_data + STORE_HEAD, v.mv_size - STORE_HEAD };
	return true;
}

bool store_seek(struct store *l, enum store_table t, const void *key, size_t key_len,
		struct store_bytes *found, struct store_bytes *out)
{
	MDB_val k = { key_len, (void *)key };

	return step(l, t, &k, MDB_SET_RANGE, found, out);
}

bool store_next(struct store *l, enum store_table t, struct store_bytes *found,
		struct store_bytes *out)
{
	MDB_val k;

	return step(l, t, &k, MDB_NEXT, found, out);
}

uint64_t store_count(struct store *l, enum store_table t)
{
	MDB_stat st;

	store_must("count", mdb_stat(l->txn, l->dbi[t], &st));
	return st.ms_entries;
}

void store_reader_died(struct store *l)
{
	int dead;

	mdb_reader_check(l->env, &dead);
}

/* --- opening --- */

static int open_tables(struct store *l)
{
	int rc = 0;

	for (int t = 0; t < STORE_TABLES && rc == 0; t++)
		rc = mdb_dbi_open(l->txn, store_table_name[t], MDB_CREATE, &l->dbi[t]);
	return rc;
}

/* An index that is as it was in an earlier release goes, and it is written down that it lacks. */
static int drop_names_before(struct store *l)
{
	MDB_val key = { strlen(STORE_UNNAMED), STORE_UNNAMED };
	unsigned char rec[STORE_HEAD];
	MDB_val value = { sizeof(rec), rec };
	MDB_dbi before;
	int rc = mdb_dbi_open(l->txn, store_names_before, 0, &before);

	if (rc == MDB_NOTFOUND)
		return 0;
	checked_seal(letter[STORE_META], key.mv_data, key.mv_size, rec, sizeof(rec));
	if (rc == 0)
		rc = mdb_drop(l->txn, before, 1);
	if (rc == 0)
		rc = mdb_drop(l->txn, l->dbi[STORE_NAMED], 0);
	return rc ? rc : mdb_put(l->txn, l->dbi[STORE_META], &key, &value, 0);
}

/* @path: of the file itself, with MDB_NOSUBDIR in @flags. The blocks are there already. */
static int open_env(struct store *l, const char *path, unsigned int flags)
{
	int rc = mdb_env_create(&l->env);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(l->env, STORE_TABLES + 1);
	if (rc == 0)
		rc = mdb_env_set_mapsize(l->env, l->size);
	if (rc == 0)
		rc = mdb_env_open(l->env, path, flags | MDB_NOSYNC | MDB_WRITEMAP | MDB_NOTLS,
				  0600);
	if (rc == 0)
		rc = mdb_txn_begin(l->env, NULL, 0, &l->txn);
	if (rc == 0) {
		store_mark_begin(l->mark, mdb_txn_id(l->txn));
		rc = open_tables(l);
		if (rc == 0)
			rc = drop_names_before(l);
		if (rc == 0)
			rc = mdb_txn_commit(l->txn);
		else
			mdb_txn_abort(l->txn);
		l->txn = NULL;
	}
	if (rc) {
		log_errorx("the live store cannot be opened: %s", mdb_strerror(rc));
		return rc > 0 ? -rc : -EIO;
	}
	l->limit = STORE_LIMIT;
	room_open(l);
	room_keep_margin(l);
	store_txn_begin(l);
	return 0;
}

/* LMDB takes an empty file for a new environment; its blocks are allocated first. */
static int open_blocks(struct store *l, const char *path)
{
	struct stat st;

	l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->fd < 0 || fstat(l->fd, &st) < 0)
		return -errno;
	l->size = (uint64_t)st.st_size / STORE_PAGE * STORE_PAGE;
	if (l->size < STORE_FIRST_SIZE)
		l->size = STORE_FIRST_SIZE;
	/* KEEP_SIZE: an empty file stays empty, so that LMDB writes its first pages. */
	return fallocate(l->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)l->size) < 0 ? -errno : 0;
}

int store_env_open(struct store *l, const char *dir)
{
	char path[600];
	int ret;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	snprintf(l->dir, sizeof(l->dir), "%s", dir);
	ret = open_blocks(l, path);
	if (ret == 0)
		l->mark = store_mark_open(dir);
	return ret < 0 ? ret : open_env(l, dir, 0);
}

struct store *store_open_private(void)
{
	struct store *l = calloc(1, sizeof(*l));
	char path[64];

	if (!l)
		return NULL;
	l->fd = memfd_create("xenstored-live", MFD_CLOEXEC);
	l->size = STORE_FIRST_SIZE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->fd);
	if (l->fd >= 0 &&
	    fallocate(l->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)l->size) == 0 &&
	    open_env(l, path, MDB_NOSUBDIR | MDB_NOLOCK) == 0)
		return l;
	store_close(l);
	return NULL;
}

void store_close(struct store *l)
{
	if (!l)
		return;
	if (l->txn)
		mdb_txn_abort(l->txn);
	if (l->env)
		mdb_env_close(l->env);
	store_mark_close(l->mark);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}
