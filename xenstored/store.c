/* SPDX-License-Identifier: MIT */
/*
 * store.c - LMDB behind six functions. Owns the environment; one process, one write at a time.
 * Whether what it opens is whole is looked at in store_verify.c and store_roots.c.
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"

#define MAP_RESERVE (1u << 20)

/* LMDB's own codes and errno values as ours. */
int store_errno(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_PANIC:
	case MDB_BAD_TXN:
		return -EBADMSG;
	case MDB_NOTFOUND:
		return -ENOENT;
	case ENOMEM:
		return -ENOMEM;
	case EROFS:
	case EACCES:
		return -EROFS;
	default:
		return -EIO;
	}
}

static int open_env(struct store *s, const char *path, unsigned int flags)
{
	MDB_txn *txn;
	int rc = mdb_env_create(&s->env);

	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, s->map_size);
	if (rc == 0)
		rc = mdb_env_open(s->env, path, flags | MDB_NOTLS, 0600);
	if (rc == 0)
		rc = mdb_txn_begin(s->env, NULL, 0, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &s->dbi);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

int store_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 || fsync(fd) < 0 ? -EIO : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/*
 * A new environment gets its name when it is whole: LMDB writes its two first pages in one piece,
 * and an error or a loss of power half-way would leave a file that is never a store.
 */
static int make_whole(const char *dir, size_t map_size, bool synced)
{
	struct store s = { .map_size = map_size };
	char path[600], part[600];
	struct stat st;
	int rc, fd;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	if (stat(path, &st) == 0) {
		/* LMDB would take a file that was cut to nothing for a new one. */
		if (st.st_size == 0)
			return -EBADMSG;
		return synced ? store_sync_dir(dir) : 0;
	}
	snprintf(part, sizeof(part), "%s/made.mdb-lock", dir);
	unlink(part);
	snprintf(part, sizeof(part), "%s/made.mdb", dir);
	unlink(part);
	rc = open_env(&s, part, MDB_NOSUBDIR);
	if (s.env)
		mdb_env_close(s.env);
	if (rc)
		return store_errno(rc);
	fd = open(part, O_RDWR | O_CLOEXEC);
	rc = fd < 0 || (synced && fsync(fd) < 0) || rename(part, path) < 0 ? store_errno(errno) : 0;
	if (rc == 0 && synced)
		rc = store_sync_dir(dir);
	if (fd >= 0)
		close(fd);
	snprintf(part, sizeof(part), "%s/made.mdb-lock", dir);
	unlink(part);
	return rc;
}

int store_open(const char *dir, size_t map_size, bool synced, struct store **out)
{
	struct store *s;
	int rc, dead;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return store_errno(errno);
	rc = make_whole(dir, map_size, synced);
	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->map_size = map_size;
	s->stamped = synced;
	rc = open_env(s, dir, synced ? 0 : MDB_NOSYNC);
	if (rc) {
		store_close(s);
		return store_errno(rc);
	}
	mdb_reader_check(s->env, &dead);
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_abort(s);
	if (s->env)
		mdb_env_close(s->env);
	free(s->scratch);
	free(s);
}

int store_begin(struct store *s)
{
	return store_errno(mdb_txn_begin(s->env, NULL, 0, &s->txn));
}

static uint32_t checksum(const void *key, size_t key_len, const void *value, size_t value_len)
{
	return crc32c(crc32c(0, key, key_len), value, value_len);
}

int store_put(struct store *s, const void *key, size_t key_len, const void *value,
	      size_t value_len)
{
	MDB_val k = { .mv_size = key_len, .mv_data = (void *)key };
	MDB_val v = { .mv_size = value_len + CRC_LEN };
	uint32_t crc = checksum(key, key_len, value, value_len);

	if (s->scratch_len < v.mv_size) {
		char *scratch = realloc(s->scratch, v.mv_size + 4096);

		if (!scratch)
			return -ENOMEM;
		s->scratch = scratch;
		s->scratch_len = v.mv_size + 4096;
	}
	memcpy(s->scratch, &crc, CRC_LEN);
	memcpy(s->scratch + CRC_LEN, value, value_len);
	v.mv_data = s->scratch;
	return store_errno(mdb_put(s->txn, s->dbi, &k, &v, 0));
}

int store_del(struct store *s, const void *key, size_t key_len)
{
	MDB_val k = { .mv_size = key_len, .mv_data = (void *)key };
	int rc = mdb_del(s->txn, s->dbi, &k, NULL);

	return rc == MDB_NOTFOUND ? 0 : store_errno(rc);
}

/* The commit's own number, among the records: see store_verify(). */
static int put_stamp(struct store *s)
{
	uint64_t id = mdb_txn_id(s->txn);

	return store_put(s, STORE_STAMP, STORE_STAMP_LEN, &id, sizeof(id));
}

int store_commit(struct store *s)
{
	int ret = s->stamped ? put_stamp(s) : 0;

	if (ret < 0)
		return ret;
	ret = store_errno(mdb_txn_commit(s->txn));
	s->txn = NULL;
	return ret;
}

void store_abort(struct store *s)
{
	if (s->txn)
		mdb_txn_abort(s->txn);
	s->txn = NULL;
}

int store_reserve(struct store *s, bool on)
{
	return store_errno(mdb_env_set_mapsize(s->env, s->map_size + (on ? MAP_RESERVE : 0)));
}

int store_unwrap(const MDB_val *k, const MDB_val *v, const char **value, size_t *len)
{
	uint32_t crc;

	if (v->mv_size < CRC_LEN)
		return -EBADMSG;
	memcpy(&crc, v->mv_data, CRC_LEN);
	*value = (const char *)v->mv_data + CRC_LEN;
	*len = v->mv_size - CRC_LEN;
	return checksum(k->mv_data, k->mv_size, *value, *len) == crc ? 0 : -EBADMSG;
}

int store_get(struct store *s, const void *key, size_t key_len, void *value, size_t room)
{
	MDB_val k = { .mv_size = key_len, .mv_data = (void *)key }, v;
	const char *data;
	MDB_txn *txn;
	size_t len;
	int ret = store_errno(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn));

	if (ret < 0)
		return ret;
	ret = store_errno(mdb_get(txn, s->dbi, &k, &v));
	if (ret == 0)
		ret = store_unwrap(&k, &v, &data, &len);
	if (ret == 0 && len > room)
		ret = -EBADMSG;
	if (ret == 0) {
		memcpy(value, data, len);
		ret = (int)len;
	}
	mdb_txn_abort(txn);
	return ret;
}

int store_walk(struct store *s, store_each *each, void *arg)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	MDB_txn *txn;
	int ret = store_errno(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn));

	if (ret < 0)
		return ret;
	ret = store_errno(mdb_cursor_open(txn, s->dbi, &cursor));
	if (ret < 0)
		goto out_abort;
	for (;;) {
		const char *value;
		size_t len;

		ret = store_errno(mdb_cursor_get(cursor, &k, &v, MDB_NEXT));
		if (ret < 0)
			break;
		ret = store_unwrap(&k, &v, &value, &len);
		if (ret == 0 && !store_is_stamp(&k))
			ret = each(arg, k.mv_data, k.mv_size, value, len);
		if (ret)
			break;
	}
	mdb_cursor_close(cursor);
	if (ret == -ENOENT)
		ret = 0;
out_abort:
	mdb_txn_abort(txn);
	return ret;
}

int store_copy(struct store *s, int fd)
{
	return store_errno(mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT));
}

void store_usage(struct store *s, uint64_t *used, uint64_t *size)
{
	MDB_envinfo info;
	MDB_stat st;

	mdb_env_info(s->env, &info);
	mdb_env_stat(s->env, &st);
	*used = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
	*size = info.me_mapsize;
}
