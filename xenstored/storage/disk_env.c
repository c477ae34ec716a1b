/* SPDX-License-Identifier: MIT */
/* disk_env.c - see disk_env.h. */
#include "disk_env.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "checked.h"

#define META_DB "meta"
#define META_LETTER 'm'
#define HEAD_KEY "head"
#define ID_KEY "store"
#define HEAD_LEN (CHECKED_HEAD + 4 + 4 * 8 + DISK_DBS * 16)

const char disk_db_letter[DISK_DBS] = {
	[DISK_NODE] = 'n', [DISK_PAST] = 'p', [DISK_REV] = 'r', [DISK_LOSS] = 'l',
};

static const char *const db_name[DISK_DBS] = {
	[DISK_NODE] = "node", [DISK_PAST] = "past", [DISK_REV] = "rev", [DISK_LOSS] = "lost",
};

int disk_errno(int rc)
{
	static const struct {
		int rc, err;
	} codes[] = {
		{ 0, 0 },
		{ MDB_MAP_FULL, -ENOSPC }, { MDB_TXN_FULL, -ENOSPC },
		{ ENOSPC, -ENOSPC }, { EDQUOT, -ENOSPC }, { EFBIG, -ENOSPC },
		{ MDB_CORRUPTED, -EBADMSG }, { MDB_PAGE_NOTFOUND, -EBADMSG },
		{ MDB_INVALID, -EBADMSG }, { MDB_VERSION_MISMATCH, -EBADMSG },
		{ MDB_CURSOR_FULL, -EBADMSG }, { MDB_INCOMPATIBLE, -EBADMSG },
		{ MDB_BAD_VALSIZE, -EBADMSG }, { MDB_BAD_TXN, -EBADMSG },
		{ MDB_NOTFOUND, -ENOENT }, { ENOENT, -ENOENT },
		{ ENOMEM, -ENOMEM }, { EMFILE, -EMFILE }, { ENFILE, -ENFILE },
		{ EROFS, -EROFS }, { EACCES, -EACCES }, { EPERM, -EACCES },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].rc == rc)
			return codes[i].err;
	}
	return -EIO;
}

/* --- the summary --- */

static void head_write(const struct disk_head *h, unsigned char out[HEAD_LEN])
{
	unsigned char *p = out + CHECKED_HEAD;

	put_le32(p, DISK_FORMAT);
	put_le64(p + 4, h->applied);
	put_le64(p + 12, h->horizon);
	put_le64(p + 20, h->history_bytes);
	put_le64(p + 28, h->stamp);
	p += 36;
	for (int i = 0; i < DISK_DBS; i++, p += 16) {
		put_le64(p, h->count[i]);
		put_le64(p + 8, h->digest[i]);
	}
	checked_seal(META_LETTER, HEAD_KEY, sizeof(HEAD_KEY) - 1, out, HEAD_LEN);
}

static int head_read(struct disk_head *h, const MDB_val *value)
{
	const unsigned char *p;
	size_t len;

	if (checked_open(META_LETTER, HEAD_KEY, sizeof(HEAD_KEY) - 1, value->mv_data,
			 value->mv_size, &p, &len) < 0 || len < 4)
		return -EBADMSG;
	if (get_le32(p) > DISK_FORMAT)
		return -EPROTONOSUPPORT;
	if (get_le32(p) != DISK_FORMAT || len != HEAD_LEN - CHECKED_HEAD)
		return -EBADMSG;
	h->applied = get_le64(p + 4);
	h->horizon = get_le64(p + 12);
	h->history_bytes = get_le64(p + 20);
	h->stamp = get_le64(p + 28);
	p += 36;
	for (int i = 0; i < DISK_DBS; i++, p += 16) {
		h->count[i] = get_le64(p);
		h->digest[i] = get_le64(p + 8);
	}
	return 0;
}

static int head_load(struct disk_env *e)
{
	MDB_val key = { sizeof(HEAD_KEY) - 1, HEAD_KEY }, value;
	int ret = disk_errno(mdb_get(e->txn, e->meta, &key, &value));

	/* A file without it is not one of ours, or has lost its root. */
	return ret == -ENOENT ? -EBADMSG : ret < 0 ? ret : head_read(&e->head, &value);
}

/* A file of an earlier release has none. One that is broken is no reason not to read the rest. */
static int id_load(struct disk_env *e)
{
	MDB_val key = { sizeof(ID_KEY) - 1, ID_KEY }, value;
	const unsigned char *p;
	size_t len;
	int ret = disk_errno(mdb_get(e->txn, e->meta, &key, &value));

	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	e->id_broken = checked_open(META_LETTER, ID_KEY, sizeof(ID_KEY) - 1, value.mv_data,
				    value.mv_size, &p, &len) < 0 || len != DISK_ID;
	if (!e->id_broken)
		memcpy(e->id, p, DISK_ID);
	return 0;
}

int disk_env_set_id(struct disk_env *e, const unsigned char id[DISK_ID])
{
	unsigned char bytes[CHECKED_HEAD + DISK_ID];
	MDB_val key = { sizeof(ID_KEY) - 1, ID_KEY }, value = { sizeof(bytes), bytes };

	memcpy(e->id, id, DISK_ID);
	memcpy(bytes + CHECKED_HEAD, id, DISK_ID);
	checked_seal(META_LETTER, ID_KEY, sizeof(ID_KEY) - 1, bytes, sizeof(bytes));
	return disk_errno(mdb_put(e->txn, e->meta, &key, &value, 0));
}

bool disk_id_known(const unsigned char id[DISK_ID])
{
	static const unsigned char none[DISK_ID];

	return memcmp(id, none, DISK_ID) != 0;
}

static int head_store(struct disk_env *e)
{
	unsigned char bytes[HEAD_LEN];
	MDB_val key = { sizeof(HEAD_KEY) - 1, HEAD_KEY }, value = { HEAD_LEN, bytes };

	e->head.stamp = mdb_txn_id(e->txn);
	head_write(&e->head, bytes);
	return disk_errno(mdb_put(e->txn, e->meta, &key, &value, 0));
}

/* --- opening --- */

/* LMDB has found its file to be impossible. Its own answer would be SIGABRT and a core. */
static void on_assert(MDB_env *env, const char *what)
{
	(void)env;
	(void)what;
	_exit(EBADMSG);
}

static const unsigned int mode_flags[] = {
	[DISK_READ] = MDB_RDONLY | MDB_NOLOCK,
	[DISK_READ_BESIDE] = MDB_RDONLY,
	[DISK_WRITE] = 0,
	[DISK_FILL] = MDB_NOSYNC | MDB_NOLOCK,
	[DISK_AMEND] = MDB_NOSYNC | MDB_NOLOCK,
};

static int open_databases(struct disk_env *e, enum disk_mode mode)
{
	unsigned int flags = mode == DISK_FILL ? MDB_CREATE : 0;
	int rc = mdb_txn_begin(e->env, NULL, mode == DISK_FILL ? 0 : MDB_RDONLY, &e->txn), ret;

	if (rc)
		return disk_errno(rc);
	rc = mdb_dbi_open(e->txn, META_DB, flags, &e->meta);
	for (int i = 0; i < DISK_DBS && rc == 0; i++)
		rc = mdb_dbi_open(e->txn, db_name[i], flags, &e->dbi[i]);
	ret = rc == MDB_NOTFOUND ? -EBADMSG : disk_errno(rc);
	if (ret == 0 && mode != DISK_FILL)
		ret = head_load(e);
	if (ret == 0 && mode != DISK_FILL)
		ret = id_load(e);
	/*
	 * Which root is the last one LMDB takes from its lock file while somebody else has that
	 * open: a reader of the file that had the name before leads to another one of this file.
	 */
	if (ret == 0 && mode == DISK_WRITE && e->head.stamp != mdb_txn_id(e->txn))
		ret = -EIO;
	if (ret < 0) {
		disk_env_abort(e);
		return ret;
	}
	if (mode == DISK_FILL)
		return disk_env_commit(e);
	/* Committing keeps the handles; a reader has nothing else to commit. */
	mdb_txn_commit(e->txn);
	e->txn = NULL;
	e->kept = e->head;
	return 0;
}

/* LMDB would take a file that was cut to nothing for a new one. */
static int look_at_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return disk_errno(errno);
	return S_ISREG(st.st_mode) && st.st_size > 0 ? 0 : -EBADMSG;
}

int disk_env_open(struct disk_env *e, const char *path, uint64_t map_size, enum disk_mode mode)
{
	int ret = 0, rc, dead;

	*e = (struct disk_env){ 0 };
	if (mode == DISK_FILL && unlink(path) < 0 && errno != ENOENT)
		return disk_errno(errno);
	if (mode != DISK_FILL)
		ret = look_at_file(path);
	if (ret < 0)
		return ret;
	rc = mdb_env_create(&e->env);
	if (rc == 0)
		rc = mdb_env_set_assert(e->env, on_assert);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(e->env, DISK_DBS + 1);
	if (rc == 0)
		rc = mdb_env_set_mapsize(e->env, map_size);
	if (rc == 0)
		rc = mdb_env_open(e->env, path, MDB_NOSUBDIR | MDB_NOTLS | mode_flags[mode], 0600);
	/* who was killed while it read has a place, of which there are not many */
	if (rc == 0 && !(mode_flags[mode] & MDB_NOLOCK))
		mdb_reader_check(e->env, &dead);
	ret = rc ? disk_errno(rc) : open_databases(e, mode);
	if (ret < 0)
		disk_env_close(e);
	return ret;
}

void disk_env_close(struct disk_env *e)
{
	disk_env_abort(e);
	if (e->env)
		mdb_env_close(e->env);
	e->env = NULL;
}

int disk_env_sync(struct disk_env *e)
{
	return disk_errno(mdb_env_sync(e->env, 1));
}

int disk_env_begin(struct disk_env *e, bool write)
{
	int ret = e->env ? disk_errno(mdb_txn_begin(e->env, NULL, write ? 0 : MDB_RDONLY,
						    &e->txn)) : -EIO;

	/* Beside a writer each transaction sees another state. */
	if (ret == 0 && !write) {
		ret = head_load(e);
		if (ret < 0)
			disk_env_abort(e);
	}
	return ret;
}

int disk_env_commit(struct disk_env *e)
{
	int ret = head_store(e);

	if (ret == 0) {
		ret = disk_errno(mdb_txn_commit(e->txn));
		e->txn = NULL;
	}
	if (ret < 0)
		disk_env_abort(e);
	else
		e->kept = e->head;
	return ret;
}

void disk_env_abort(struct disk_env *e)
{
	if (e->txn)
		mdb_txn_abort(e->txn);
	e->txn = NULL;
	e->head = e->kept;
}

/* --- records --- */

bool disk_value_whole(enum disk_db db, const MDB_val *key, const MDB_val *value)
{
	const unsigned char *record;
	size_t len;

	return checked_open(disk_db_letter[db], key->mv_data, key->mv_size, value->mv_data,
			    value->mv_size, &record, &len) == 0;
}

int disk_env_get(struct disk_env *e, enum disk_db db, const MDB_val *key, MDB_val *value)
{
	MDB_val k = *key;
	int ret = disk_errno(mdb_get(e->txn, e->dbi[db], &k, value));

	if (ret < 0)
		return ret;
	return disk_value_whole(db, key, value) ? 0 : -EBADMSG;
}

/* Adds the record to the summary, or takes it away. */
static void count(struct disk_env *e, enum disk_db db, const MDB_val *key, const MDB_val *value,
		  bool add)
{
	uint64_t sign = add ? 1 : (uint64_t)-1;

	e->head.count[db] += sign;
	e->head.digest[db] += sign * checked_digest(value->mv_data, value->mv_size);
	if (db == DISK_PAST || db == DISK_REV)
		e->head.history_bytes += sign * (key->mv_size + value->mv_size);
}

int disk_env_put(struct disk_env *e, enum disk_db db, const MDB_val *key, const MDB_val *value,
		 bool append)
{
	MDB_val k = *key, v = *value, old;
	int ret = append ? -ENOENT : disk_env_get(e, db, key, &old);

	if (ret < 0 && ret != -ENOENT)
		return ret;
	if (ret == 0)
		count(e, db, key, &old, false);
	ret = disk_errno(mdb_put(e->txn, e->dbi[db], &k, &v, append ? MDB_APPEND : 0));
	if (ret == 0)
		count(e, db, key, value, true);
	return ret;
}

int disk_env_del(struct disk_env *e, enum disk_db db, const MDB_val *key)
{
	MDB_val k = *key, old;
	int ret = disk_env_get(e, db, key, &old);

	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	count(e, db, key, &old, false);
	return disk_errno(mdb_del(e->txn, e->dbi[db], &k, NULL));
}

/* --- reading everything --- */

static int compare_keys(const MDB_val *a, const MDB_val *b)
{
	size_t len = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
	int diff = memcmp(a->mv_data, b->mv_data, len);

	return diff ? diff : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

/* A record of the walk. */
struct seen {
	MDB_val key, value;
};

/* LMDB's pages are larger only where the machine's are: then there are more searches. */
#define LEAST_PAGE 4096u

/* A key is on its leaf, also where the value has pages of its own. */
static bool on_one_leaf(const struct seen *a, const struct seen *b)
{
	return (uintptr_t)a->key.mv_data / LEAST_PAGE == (uintptr_t)b->key.mv_data / LEAST_PAGE;
}

/* The walk does not look at the keys in the branches; a search does nothing else. */
static int check_search(struct disk_env *e, enum disk_db db, const struct seen *at)
{
	MDB_val found;

	if (disk_env_get(e, db, &at->key, &found) < 0 || found.mv_data != at->value.mv_data)
		return -EBADMSG;
	return 0;
}

/*
 * One record of the walk; @last is the one before it, or has no key. The first and the last of each
 * leaf are searched for: at each step one that lies between them goes the way that both go, and on
 * the leaf they are in order.
 */
static int check_record(struct disk_env *e, enum disk_db db, const struct seen *last,
			const struct seen *at)
{
	int ret = 0;

	/* A tree whose pages are mixed up may lead in circles. */
	if (at->key.mv_size == 0 || (last->key.mv_data && compare_keys(&last->key, &at->key) >= 0))
		return -EBADMSG;
	if (!disk_value_whole(db, &at->key, &at->value))
		return -EBADMSG;
	if (last->key.mv_data && on_one_leaf(last, at))
		return 0;
	if (last->key.mv_data)
		ret = check_search(e, db, last);
	return ret ? ret : check_search(e, db, at);
}

/* Whatever LMDB says of a file that cannot be read: it is not whole. */
static int source_error(int rc)
{
	int ret = disk_errno(rc);

	return ret == 0 || ret == -ENOENT || ret == -ENOMEM ? ret : -EBADMSG;
}

static int check_db(struct disk_env *e, enum disk_db db, struct disk_env *to,
		    struct disk_head *sum)
{
	struct disk_env counted = { 0 };
	struct seen at, last = { .key = { 0 } };
	MDB_cursor *cursor;
	int ret = source_error(mdb_cursor_open(e->txn, e->dbi[db], &cursor));

	if (ret < 0)
		return ret == -ENOENT ? -EBADMSG : ret;
	while (ret == 0) {
		ret = source_error(mdb_cursor_get(cursor, &at.key, &at.value, MDB_NEXT));
		if (ret == 0)
			ret = check_record(e, db, &last, &at);
		if (ret == 0 && to)
			ret = disk_env_put(to, db, &at.key, &at.value, true);
		if (ret == 0) {
			count(&counted, db, &at.key, &at.value, true);
			last = at;
		}
	}
	if (ret == -ENOENT && last.key.mv_data && check_search(e, db, &last) < 0)
		ret = -EBADMSG;
	mdb_cursor_close(cursor);
	sum->count[db] = counted.head.count[db];
	sum->digest[db] = counted.head.digest[db];
	sum->history_bytes += counted.head.history_bytes;
	return ret == -ENOENT ? 0 : ret;
}

int disk_env_check(struct disk_env *e, struct disk_env *to)
{
	struct disk_head sum = { 0 };
	int ret = disk_env_begin(e, false);

	if (ret < 0)
		return ret == -ENOMEM ? ret : -EBADMSG;
	for (int db = 0; db < DISK_DBS && ret == 0; db++)
		ret = check_db(e, (enum disk_db)db, to, &sum);
	sum.applied = e->head.applied;
	sum.horizon = e->head.horizon;
	sum.stamp = mdb_txn_id(e->txn);
	if (ret == 0 && (memcmp(&sum, &e->head, sizeof(sum)) != 0 || e->id_broken))
		ret = -EBADMSG;
	if (ret == 0 && to && disk_id_known(e->id))
		ret = disk_env_set_id(to, e->id);
	if (ret == 0 && to) {
		to->head.applied = sum.applied;
		to->head.horizon = sum.horizon;
	}
	disk_env_abort(e);
	return ret;
}

uint64_t disk_env_tree_bytes(struct disk_env *e)
{
	uint64_t pages = 0, size = 4096;

	for (int i = 0; i < DISK_DBS; i++) {
		MDB_stat st;

		if (mdb_stat(e->txn, e->dbi[i], &st))
			continue;
		pages += st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages;
		size = st.ms_psize;
	}
	return pages * size;
}
