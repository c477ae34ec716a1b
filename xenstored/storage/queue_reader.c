/* SPDX-License-Identifier: MIT */
/* queue_reader.c - see queue_reader.h. */
#include "queue_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "disk_env.h"

#define QUEUE_DB "queue"
/* More than the live environment has databases. */
#define DATABASES 32
/* The daemon exchanges its environment once a second at most. */
#define OPEN_TRIES 5

/* The daemon makes its file larger: the map follows. */
static int begin(struct queue_reader *q, MDB_txn **txn)
{
	int rc;

	/* The last opening failed; queue_reader_follow() tries again. */
	if (!q->env)
		return -EIO;
	rc = mdb_txn_begin(q->env, NULL, MDB_RDONLY, txn);
	if (rc == MDB_MAP_RESIZED) {
		rc = mdb_env_set_mapsize(q->env, 0);
		if (rc == 0)
			rc = mdb_txn_begin(q->env, NULL, MDB_RDONLY, txn);
	}
	return disk_errno(rc);
}

/* Which environment has the name. The number of an open one no other can get. */
static int number_of(const char *dir, ino_t *number)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return disk_errno(errno);
	*number = st.st_ino;
	return 0;
}

static int open_named(struct queue_reader *q, const char *dir)
{
	MDB_txn *txn = NULL;
	int ret, rc = mdb_env_create(&q->env);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(q->env, DATABASES);
	if (rc == 0)
		rc = mdb_env_open(q->env, dir, MDB_RDONLY | MDB_NOTLS, 0600);
	ret = rc ? disk_errno(rc) : begin(q, &txn);
	if (ret == 0)
		ret = disk_errno(mdb_dbi_open(txn, QUEUE_DB, 0, &q->dbi));
	if (ret == 0)
		ret = disk_errno(mdb_txn_commit(txn));
	else if (txn)
		mdb_txn_abort(txn);
	if (ret < 0)
		queue_reader_close(q);
	return ret;
}

/*
 * LMDB opens one file after the other: the readers' table may be the one of the environment that
 * has just given its name away. Who writes would not see the reader there, nor he what is written.
 */
int queue_reader_open(struct queue_reader *q, const char *dir)
{
	int ret = -EIO;

	*q = (struct queue_reader){ .dir = dir };
	for (unsigned int i = 0; i < OPEN_TRIES; i++) {
		ino_t before = 0, after = 0;

		ret = number_of(dir, &before);
		if (ret == 0)
			ret = open_named(q, dir);
		if (ret == 0)
			ret = number_of(dir, &after);
		if (ret < 0 || before == after)
			break;
		queue_reader_close(q);
		ret = -EIO;
	}
	if (ret < 0)
		queue_reader_close(q);
	return ret;
}

/* 1: the file that is open has the name, too. The number of an open file no other one can get. */
static int is_current(const struct queue_reader *q)
{
	struct stat named, opened;
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", q->dir);
	if (stat(path, &named) < 0)
		return -errno;
	if (!q->env)
		return 0;
	if (mdb_env_get_fd(q->env, &fd) || fstat(fd, &opened) < 0)
		return -EIO;
	return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

int queue_reader_follow(struct queue_reader *q)
{
	int ret = is_current(q);

	if (ret)
		return ret < 0 ? ret : 0;
	queue_reader_close(q);
	return queue_reader_open(q, q->dir);
}

void queue_reader_close(struct queue_reader *q)
{
	if (q->env)
		mdb_env_close(q->env);
	q->env = NULL;
}

static int batch_add(struct queue_batch *b, uint64_t rev, uint32_t index, const MDB_val *value)
{
	if (b->nr == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 256;
		struct queued *e = realloc(b->e, cap * sizeof(*e));

		if (!e)
			return -ENOMEM;
		b->e = e;
		b->cap = cap;
	}
	if (b->len + value->mv_size > b->room) {
		size_t room = 2 * (b->len + value->mv_size);
		char *data = realloc(b->data, room);

		if (!data)
			return -ENOMEM;
		b->data = data;
		b->room = room;
	}
	memcpy(b->data + b->len, value->mv_data, value->mv_size);
	b->e[b->nr++] = (struct queued){ rev, index, b->len, value->mv_size };
	b->len += value->mv_size;
	return 0;
}

int queue_batch_change(const struct queue_batch *b, size_t i, struct change *out)
{
	unsigned char key[CHANGE_KEY];

	change_key(key, b->e[i].rev, b->e[i].index);
	return change_read(key, b->data + b->e[i].at, b->e[i].len, out);
}

/* Takes back what there is of revision @rev. */
static void drop_revision(struct queue_batch *b, uint64_t rev)
{
	while (b->nr > 0 && b->e[b->nr - 1].rev == rev)
		b->len = b->e[--b->nr].at;
	b->broken = rev;
}

/* One change into the batch; 1: enough. */
static int read_one(struct queue_batch *b, const MDB_val *key, const MDB_val *value, size_t most)
{
	const struct queued last = b->nr ? b->e[b->nr - 1] : (struct queued){ 0 };
	struct change c;
	uint32_t index;
	uint64_t rev;
	int ret;

	if (change_key_read(key->mv_data, key->mv_size, &rev, &index) < 0)
		return -EBADMSG;
	if (last.rev != rev && b->nr >= most)
		return 1;
	ret = batch_add(b, rev, index, value);
	if (ret < 0)
		return ret;
	/* The checksum, and that none is missing before it. */
	if (queue_batch_change(b, b->nr - 1, &c) < 0 ||
	    index != (last.rev == rev ? last.index + 1 : 0)) {
		drop_revision(b, rev);
		return 1;
	}
	return 0;
}

int queue_read(struct queue_reader *q, uint64_t applied, size_t most, struct queue_batch *b)
{
	unsigned char bytes[CHANGE_KEY];
	MDB_val key = { CHANGE_KEY, bytes }, value;
	MDB_cursor *cursor = NULL;
	MDB_cursor_op step = MDB_SET_RANGE;
	MDB_txn *txn = NULL;
	int ret = begin(q, &txn);

	b->nr = 0;
	b->len = 0;
	b->broken = 0;
	change_key(bytes, applied + 1, 0);
	if (ret == 0)
		ret = disk_errno(mdb_cursor_open(txn, q->dbi, &cursor));
	while (ret == 0) {
		ret = disk_errno(mdb_cursor_get(cursor, &key, &value, step));
		if (ret == 0)
			ret = read_one(b, &key, &value, most);
		step = MDB_NEXT;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	if (txn)
		mdb_txn_abort(txn);
	return ret == -ENOENT || ret == 1 ? 0 : ret;
}

void queue_batch_fini(struct queue_batch *b)
{
	free(b->e);
	free(b->data);
	*b = (struct queue_batch){ .e = NULL };
}
