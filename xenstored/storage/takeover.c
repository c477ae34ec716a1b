/* SPDX-License-Identifier: MIT */
/*
 * takeover.c - see takeover.h. Format 2: one unnamed database; values begin with the CRC32C of key
 * and value; "N" and the number of a node (big-endian) has its parent's number, lengths,
 * permissions, name, value; "C" has the number of the commit that wrote it. All but keys is in the
 * byte order of the machine that wrote it, which is this one.
 */
#include "takeover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "crc32c.h"
#include "disk_apply.h"
#include "disk_env.h"
#include "packed_perms.h"
#include "path_key.h"
#include "stored_node.h"

#define OLD_CRC 4
#define OLD_NODE_KEY 9
#define OLD_ROOT 1u

struct old_head {
	uint64_t parent;
	uint16_t name_len, value_len, nr_perms, zero;
};

_Static_assert(sizeof(struct old_head) == 16, "format 2: node record");

struct old_node {
	struct old_head head;
	const unsigned char *perms;	/* the entries of packed_perms.h, as it happens */
	const char *name, *value;
};

struct old_env {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
};

static bool unwrap(const MDB_val *key, const MDB_val *value, const unsigned char **p, size_t *len)
{
	uint32_t crc;

	if (value->mv_size < OLD_CRC)
		return false;
	memcpy(&crc, value->mv_data, OLD_CRC);
	*p = (const unsigned char *)value->mv_data + OLD_CRC;
	*len = value->mv_size - OLD_CRC;
	return crc32c(crc32c(0, key->mv_data, key->mv_size), *p, *len) == crc;
}

static int parse_node(const unsigned char *p, size_t len, struct old_node *n)
{
	if (len < sizeof(n->head))
		return -EBADMSG;
	memcpy(&n->head, p, sizeof(n->head));
	n->perms = p + sizeof(n->head);
	n->name = (const char *)n->perms + (size_t)n->head.nr_perms * PACKED_PERM;
	n->value = n->name + n->head.name_len;
	if (n->head.nr_perms == 0 || !packed_fits(n->head.nr_perms, n->head.value_len) ||
	    len != sizeof(n->head) + (size_t)n->head.nr_perms * PACKED_PERM + n->head.name_len +
			    n->head.value_len)
		return -EBADMSG;
	return 0;
}

static int get_node(struct old_env *o, uint64_t id, struct old_node *n)
{
	unsigned char bytes[OLD_NODE_KEY] = { 'N' };
	MDB_val key = { OLD_NODE_KEY, bytes }, value;
	const unsigned char *p;
	size_t len;

	put_be64(bytes + 1, id);
	if (mdb_get(o->txn, o->dbi, &key, &value) || !unwrap(&key, &value, &p, &len))
		return -EBADMSG;
	return parse_node(p, len, n);
}

/* The path of @n in the end of @buf; a parent's number is smaller than its child's. */
static int path_of(struct old_env *o, uint64_t id, struct old_node n,
		   char buf[XENSTORE_ABS_PATH_MAX], uint16_t *len)
{
	size_t at = XENSTORE_ABS_PATH_MAX;

	for (;;) {
		if (n.head.name_len + 1u > at || n.head.parent >= id)
			return -EBADMSG;
		at -= n.head.name_len;
		memcpy(buf + at, n.name, n.head.name_len);
		buf[--at] = '/';
		if (n.head.parent == OLD_ROOT)
			break;
		id = n.head.parent;
		if (get_node(o, id, &n) < 0)
			return -EBADMSG;
	}
	*len = (uint16_t)(XENSTORE_ABS_PATH_MAX - at);
	memmove(buf, buf + at, *len);
	return xs_path_is_absolute(buf, *len) ? 0 : -EBADMSG;
}

static int put_node(struct disk_env *to, const struct stored_node *n)
{
	unsigned char bytes[PATH_KEY_MAX];
	MDB_val key = { path_key(n->path, n->path_len, bytes), bytes };
	MDB_val value = { stored_node_len(n), malloc(stored_node_len(n)) };
	int ret;

	if (!value.mv_data)
		return -ENOMEM;
	stored_node_write(n, disk_db_letter[DISK_NODE], bytes, key.mv_size, value.mv_data);
	ret = disk_env_put(to, DISK_NODE, &key, &value, false);
	free(value.mv_data);
	return ret;
}

static int take_node(struct old_env *o, const MDB_val *key, const unsigned char *p, size_t len,
		     struct disk_env *to)
{
	uint64_t id = get_be64((const unsigned char *)key->mv_data + 1);
	char path[XENSTORE_ABS_PATH_MAX];
	struct stored_node out = { .rev = 1, .made_rev = 1, .path = path };
	struct old_node n, found;
	int ret = parse_node(p, len, &n);

	/* The walk does not look at the keys in the branches; a search does nothing else. */
	if (ret == 0)
		ret = get_node(o, id, &found);
	if (ret == 0)
		ret = path_of(o, id, n, path, &out.path_len);
	if (ret < 0)
		return ret;
	out.made_index = (uint32_t)to->head.count[DISK_NODE];
	out.perms = n.perms;
	out.nr_perms = n.head.nr_perms;
	out.value = n.value;
	out.value_len = n.head.value_len;
	return put_node(to, &out);
}

/* A commit that was cut off by a loss of power does not have its own number in it. */
static bool is_stamp(struct old_env *o, const unsigned char *p, size_t len)
{
	uint64_t id;
	MDB_envinfo info;

	if (len != sizeof(id))
		return false;
	memcpy(&id, p, sizeof(id));
	mdb_env_info(o->env, &info);
	return id == info.me_last_txnid;
}

struct walk {
	uint64_t last;		/* number of the node before */
	bool stamped;
};

static int take_record(struct old_env *o, const MDB_val *key, const MDB_val *value,
		       struct disk_env *to, struct walk *w)
{
	const unsigned char *p, *k = key->mv_data;
	size_t len;

	if (key->mv_size == 0 || !unwrap(key, value, &p, &len))
		return -EBADMSG;
	if (key->mv_size == OLD_NODE_KEY && k[0] == 'N') {
		if (get_be64(k + 1) <= w->last)
			return -EBADMSG;
		w->last = get_be64(k + 1);
		return take_node(o, key, p, len, to);
	}
	if (key->mv_size == 1 && k[0] == 'C') {
		w->stamped = is_stamp(o, p, len);
		return w->stamped ? 0 : -EBADMSG;
	}
	/* What the release before kept for itself: the last frame of a journal that is gone. */
	return key->mv_size == 2 && k[0] == 'M' ? 0 : -EBADMSG;
}

/* What was said of reading the file, or of the copy. */
static int read_error(int ret)
{
	return ret == -EIO ? -EBADMSG : ret;
}

static int take_all(struct old_env *o, struct disk_env *to)
{
	struct walk w = { .last = OLD_ROOT };
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_stat st;
	size_t nr = 0;
	int ret = disk_errno(mdb_cursor_open(o->txn, o->dbi, &cursor));

	if (ret < 0)
		return -EBADMSG;
	while ((ret = disk_errno(mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) == 0) {
		nr++;
		ret = take_record(o, &key, &value, to, &w);
		if (ret < 0)
			break;
	}
	mdb_cursor_close(cursor);
	if (ret != -ENOENT)
		return read_error(ret);
	/* An empty one of that format has no commit with a number in it yet. */
	if (mdb_stat(o->txn, o->dbi, &st) || st.ms_entries != nr || (nr > 0 && !w.stamped))
		return -EBADMSG;
	return 0;
}

static int open_old(struct old_env *o, const struct takeover *t)
{
	struct disk_env probe;
	int rc, ret = disk_env_open(&probe, t->from, t->map_size, DISK_READ);

	disk_env_close(&probe);
	/* One of ours is none of theirs. */
	if (ret == 0 || ret == -EPROTONOSUPPORT)
		return -EBADMSG;
	if (ret == -ENOENT)
		return ret;
	rc = mdb_env_create(&o->env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(o->env, t->map_size);
	if (rc == 0)
		rc = mdb_env_open(o->env, t->from, MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK,
				  0600);
	if (rc == 0)
		rc = mdb_txn_begin(o->env, NULL, MDB_RDONLY, &o->txn);
	if (rc == 0)
		rc = mdb_dbi_open(o->txn, NULL, 0, &o->dbi);
	return rc == 0 ? 0 : rc == ENOMEM ? -ENOMEM : -EBADMSG;
}

static int fill(struct old_env *o, const struct takeover *t)
{
	struct disk_env to;
	int ret = disk_env_open(&to, t->to, t->map_size, DISK_FILL);

	if (ret == 0)
		ret = disk_env_begin(&to, true);
	if (ret == 0)
		ret = take_all(o, &to);
	if (ret == 0) {
		to.head.applied = 1;
		to.head.horizon = 1;
		ret = disk_env_commit(&to);
	}
	if (ret == 0)
		ret = disk_env_sync(&to);
	disk_env_close(&to);
	if (ret < 0)
		unlink(t->to);
	return ret;
}

int takeover(void *arg)
{
	const struct takeover *t = arg;
	struct old_env o = { .env = NULL };
	int ret = open_old(&o, t);

	if (ret == 0)
		ret = fill(&o, t);
	if (o.txn)
		mdb_txn_abort(o.txn);
	if (o.env)
		mdb_env_close(o.env);
	return ret;
}
