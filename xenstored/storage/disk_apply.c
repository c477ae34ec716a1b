/* SPDX-License-Identifier: MIT */
/* disk_apply.c - see disk_apply.h. */
#include "disk_apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "change_record.h"
#include "checked.h"
#include "last_rule.h"
#include "packed_perms.h"
#include "path_key.h"
#include "rev_record.h"
#include "stored_node.h"

#define NODE_VALUE_MAX (64u + 3072u + 2u * XENSTORE_PAYLOAD_MAX)

/* --- history --- */

static MDB_val past_key(const MDB_val *path, uint64_t rev, unsigned char out[PAST_KEY_MAX])
{
	memcpy(out, path->mv_data, path->mv_size);
	put_be64(out + path->mv_size, rev);
	return (MDB_val){ path->mv_size + 8, out };
}

/* That there was no such node. */
static int put_absent(struct disk_env *e, const MDB_val *key, const char *path, uint16_t path_len)
{
	unsigned char value[64 + 3072];
	const unsigned char nobody[PACKED_PERM] = { 0 };
	const struct stored_node none = {
		.flags = PAST_ABSENT, .path = path, .path_len = path_len,
		.perms = nobody, .nr_perms = 1, .value = "",
	};
	MDB_val v = { stored_node_len(&none), value };

	stored_node_write(&none, disk_db_letter[DISK_PAST], key->mv_data, key->mv_size, value);
	return disk_env_put(e, DISK_PAST, key, &v, false);
}

/* The same bytes behind another key. */
static int put_replaced(struct disk_env *e, const MDB_val *key, const MDB_val *old)
{
	MDB_val v = { old->mv_size, malloc(old->mv_size) };
	int ret;

	if (!v.mv_data)
		return -ENOMEM;
	memcpy(v.mv_data, old->mv_data, old->mv_size);
	checked_seal(disk_db_letter[DISK_PAST], key->mv_data, key->mv_size, v.mv_data, v.mv_size);
	ret = disk_env_put(e, DISK_PAST, key, &v, false);
	free(v.mv_data);
	return ret;
}

static int put_rev(struct disk_env *e, struct applying *a, const struct change *c,
		   const char *path, uint16_t path_len)
{
	const struct rev_record r = {
		.op = c->op, .below = path_len != c->path_len, .time_ns = c->time_ns,
		.prev = c->prev, .who = c->who, .path = path, .path_len = path_len,
	};
	unsigned char key[REV_KEY], value[REV_RECORD_MAX];
	MDB_val k = { REV_KEY, key }, v = { 0, value };

	change_key(key, a->rev, a->next++);
	v.mv_size = rev_record_write(&r, key, value);
	return disk_env_put(e, DISK_REV, &k, &v, false);
}

/*
 * Keeps what revision a->rev replaces at the path: @old, or NULL: nothing was there. Only the
 * first change of a path in a revision replaces what was before it.
 */
static int keep(struct disk_env *e, struct applying *a, const struct change *c,
		const struct stored_node *at, const MDB_val *path, const MDB_val *old)
{
	unsigned char bytes[PAST_KEY_MAX];
	MDB_val key = past_key(path, a->rev, bytes), there;
	int ret;

	if (a->no_history)
		return 0;
	ret = disk_env_get(e, DISK_PAST, &key, &there);
	if (ret != -ENOENT)
		return ret;
	ret = old ? put_replaced(e, &key, old) : put_absent(e, &key, at->path, at->path_len);
	return ret < 0 ? ret : put_rev(e, a, c, at->path, at->path_len);
}

/* --- nodes --- */

static int put_node(struct disk_env *e, const MDB_val *key, const struct stored_node *n)
{
	MDB_val v = { stored_node_len(n), NULL };
	int ret;

	if (v.mv_size > NODE_VALUE_MAX)
		return -EBADMSG;
	v.mv_data = malloc(v.mv_size);
	if (!v.mv_data)
		return -ENOMEM;
	stored_node_write(n, disk_db_letter[DISK_NODE], key->mv_data, key->mv_size, v.mv_data);
	ret = disk_env_put(e, DISK_NODE, key, &v, false);
	free(v.mv_data);
	return ret;
}

static int read_node(const MDB_val *key, const MDB_val *value, struct stored_node *out)
{
	return stored_node_read(disk_db_letter[DISK_NODE], key->mv_data, key->mv_size, key->mv_size,
				value->mv_data, value->mv_size, out);
}

static int apply_put(struct disk_env *e, struct applying *a, uint32_t index,
		     const struct change *c)
{
	unsigned char bytes[PATH_KEY_MAX];
	MDB_val key = { path_key(c->path, c->path_len, bytes), bytes }, old;
	struct stored_node was, n = {
		.rev = a->rev, .made_rev = a->rev, .made_index = index, .mark = c->mark,
		.path = c->path, .path_len = c->path_len, .perms = c->perms,
		.nr_perms = c->nr_perms, .value = c->value, .value_len = c->value_len,
	};
	int ret = disk_env_get(e, DISK_NODE, &key, &old);
	bool there = ret == 0;

	if (there) {
		ret = read_node(&key, &old, &was);
		n.made_rev = was.made_rev;
		n.made_index = was.made_index;
	}
	if (ret < 0 && ret != -ENOENT)
		return ret;
	ret = keep(e, a, c, &n, &key, there ? &old : NULL);
	return ret < 0 ? ret : put_node(e, &key, &n);
}

/* @key is the caller's; @value and what @n points to are in pages that may move. */
static int remove_one(struct disk_env *e, struct applying *a, const struct change *c,
		      const struct stored_node *n, const MDB_val *key, const MDB_val *value)
{
	char path[XENSTORE_ABS_PATH_MAX];
	struct stored_node at = { .path = path, .path_len = n->path_len };
	int ret;

	memcpy(path, n->path, n->path_len);
	ret = keep(e, a, c, &at, key, value);
	return ret < 0 ? ret : disk_env_del(e, DISK_NODE, key);
}

/* The node with the smallest key that is not below @from, if its key begins with @head. */
static int next_node(struct disk_env *e, const MDB_val *head, MDB_val *key, MDB_val *value)
{
	MDB_cursor *cursor;
	int ret = disk_errno(mdb_cursor_open(e->txn, e->dbi[DISK_NODE], &cursor));

	if (ret < 0)
		return ret;
	ret = disk_errno(mdb_cursor_get(cursor, key, value, MDB_SET_RANGE));
	mdb_cursor_close(cursor);
	if (ret == 0 && (key->mv_size < head->mv_size ||
			 memcmp(key->mv_data, head->mv_data, head->mv_size) != 0))
		return -ENOENT;
	if (ret == 0 && !disk_value_whole(DISK_NODE, key, value))
		return -EBADMSG;
	return ret;
}

/* Makes the smallest key that is larger than @key, in @bytes. */
static MDB_val key_behind(const MDB_val *key, unsigned char bytes[PATH_KEY_MAX + 1])
{
	if (key->mv_data != bytes)
		memcpy(bytes, key->mv_data, key->mv_size);
	bytes[key->mv_size] = 0;
	return (MDB_val){ key->mv_size + 1, bytes };
}

/* Whether @n goes with what @c removes. */
static bool goes(const struct change *c, const struct stored_node *n)
{
	if (n->path_len == c->path_len || !xs_path_is_within(n->path, n->path_len, c->path, c->path_len))
		return false;
	return c->op != CHANGE_RESET || last_rule(c->value, c->value_len, n->path, n->path_len);
}

static int remove_below(struct disk_env *e, struct applying *a, const struct change *c)
{
	unsigned char head_bytes[PATH_KEY_MAX], bytes[PATH_KEY_MAX + 1];
	MDB_val head = { path_key_below(c->path, c->path_len, head_bytes), head_bytes };
	MDB_val key = head, value;
	int ret;

	while ((ret = next_node(e, &head, &key, &value)) == 0) {
		struct stored_node n;
		MDB_val copy = { key.mv_size, bytes };

		memcpy(bytes, key.mv_data, key.mv_size);
		ret = read_node(&key, &value, &n);
		if (ret == 0 && goes(c, &n))
			ret = remove_one(e, a, c, &n, &copy, &value);
		if (ret < 0)
			return ret;
		key = key_behind(&copy, bytes);
	}
	return ret == -ENOENT ? 0 : ret;
}

/* Removing what is not there is good: the live half may name a node that never came this far. */
static int apply_remove(struct disk_env *e, struct applying *a, const struct change *c)
{
	unsigned char bytes[PATH_KEY_MAX];
	MDB_val key = { path_key(c->path, c->path_len, bytes), bytes }, value;
	struct stored_node n;
	int ret = disk_env_get(e, DISK_NODE, &key, &value);

	if (ret == 0)
		ret = read_node(&key, &value, &n);
	if (ret == 0)
		ret = remove_one(e, a, c, &n, &key, &value);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	return remove_below(e, a, c);
}

/* --- the order of revisions --- */

static int next_revision(struct disk_env *e, struct applying *a, uint64_t rev, uint32_t index,
			 const struct change *c)
{
	uint64_t last = a->rev && !a->passing ? a->rev : e->head.applied;

	if (rev < last || rev == a->rev || index != 0)
		return -EINVAL;
	/* RESET is for a disk that lacks something, not for one that has what was never made. */
	if (c->op == CHANGE_RESET ? last > c->prev : c->prev != last)
		return -ESTALE;
	a->rev = rev;
	a->next = 0;
	a->passing = false;
	e->head.applied = rev;
	return 0;
}

int disk_apply(struct disk_env *e, struct applying *a, uint64_t rev, uint32_t index,
	       const struct change *c)
{
	int ret;

	if (rev != a->rev) {
		if (rev <= e->kept.applied) {
			a->rev = rev;
			a->passing = true;
			return 0;
		}
		ret = next_revision(e, a, rev, index, c);
		if (ret < 0)
			return ret;
	}
	if (a->passing)
		return 0;
	if (a->no_history)
		e->head.horizon = rev;
	return c->op == CHANGE_PUT ? apply_put(e, a, index, c) : apply_remove(e, a, c);
}

/* --- giving history up --- */

/* The oldest record of DISK_REV. */
static int oldest(struct disk_env *e, unsigned char key[REV_KEY], struct rev_record *r,
		  char path[3072])
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int ret = disk_errno(mdb_cursor_open(e->txn, e->dbi[DISK_REV], &cursor));

	if (ret < 0)
		return ret;
	ret = disk_errno(mdb_cursor_get(cursor, &k, &v, MDB_FIRST));
	mdb_cursor_close(cursor);
	if (ret < 0)
		return ret;
	if (k.mv_size != REV_KEY || rev_record_read(k.mv_data, v.mv_data, v.mv_size, r) < 0)
		return -EBADMSG;
	memcpy(key, k.mv_data, REV_KEY);
	memcpy(path, r->path, r->path_len);
	return 0;
}

static int prune_one(struct disk_env *e, const unsigned char key[REV_KEY],
		     const struct rev_record *r, const char *path)
{
	unsigned char path_bytes[PATH_KEY_MAX], past_bytes[PAST_KEY_MAX];
	MDB_val k = { REV_KEY, (void *)key };
	MDB_val p = { path_key(path, r->path_len, path_bytes), path_bytes };
	uint64_t rev = get_be64(key);
	MDB_val past = past_key(&p, rev, past_bytes);
	int ret = disk_env_del(e, DISK_PAST, &past);

	if (ret == 0)
		ret = disk_env_del(e, DISK_REV, &k);
	/* What was before it is not known any more. */
	if (ret == 0 && e->head.horizon < rev)
		e->head.horizon = rev;
	return ret;
}

int disk_prune(struct disk_env *e, uint64_t bytes, uint64_t time_ns, unsigned int most)
{
	unsigned char key[REV_KEY];
	struct rev_record r;
	char path[3072];

	for (unsigned int i = 0; i < most; i++) {
		int ret = oldest(e, key, &r, path);

		if (ret == -ENOENT)
			return 0;
		if (ret == 0 && e->head.history_bytes <= bytes && r.time_ns >= time_ns)
			return 0;
		if (ret == 0)
			ret = prune_one(e, key, &r, path);
		if (ret < 0)
			return ret;
	}
	return 0;
}
