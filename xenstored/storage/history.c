/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. */
#include "history.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "disk_apply.h"
#include "packed_perms.h"
#include "path_key.h"
#include "xs_path.h"

#define REV_LEN 8

struct walking {
	struct disk_env *e;
	uint64_t rev;
	MDB_cursor *node, *past;
};

/* --- one path --- */

static int read_past(const MDB_val *key, const MDB_val *value, struct stored_node *out)
{
	return stored_node_read(disk_db_letter[DISK_PAST], key->mv_data, key->mv_size,
				key->mv_size - REV_LEN, value->mv_data, value->mv_size, out);
}

static bool is_of_path(const MDB_val *key, const MDB_val *path)
{
	return key->mv_size == path->mv_size + REV_LEN &&
	       memcmp(key->mv_data, path->mv_data, path->mv_size) == 0;
}

/* What the first revision behind @rev replaced at the path. 0, -ENOENT: no such revision. */
static int first_behind(struct walking *w, const MDB_val *path, uint64_t rev,
			struct stored_node *out)
{
	unsigned char bytes[PAST_KEY_MAX];
	MDB_val key = { path->mv_size + REV_LEN, bytes }, value;
	int ret;

	memcpy(bytes, path->mv_data, path->mv_size);
	put_be64(bytes + path->mv_size, rev + 1);
	ret = disk_errno(mdb_cursor_get(w->past, &key, &value, MDB_SET_RANGE));
	if (ret == 0 && !is_of_path(&key, path))
		return -ENOENT;
	return ret < 0 ? ret : read_past(&key, &value, out);
}

static int node_now(struct walking *w, const MDB_val *path, struct stored_node *out)
{
	MDB_val value;
	int ret = disk_env_get(w->e, DISK_NODE, path, &value);

	return ret < 0 ? ret : stored_node_read(disk_db_letter[DISK_NODE], path->mv_data,
						path->mv_size, path->mv_size, value.mv_data,
						value.mv_size, out);
}

/* The path with this key, now and at @rev. */
static int state_at(struct walking *w, const MDB_val *path, uint64_t rev, struct history_state *s)
{
	int ret = node_now(w, path, &s->now);

	if (ret < 0 && ret != -ENOENT)
		return ret;
	s->is = ret == 0;
	ret = first_behind(w, path, rev, &s->then);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	if (ret == -ENOENT) {
		s->was = s->is;
		s->then = s->now;
	} else {
		s->was = !(s->then.flags & PAST_ABSENT);
	}
	/*
	 * Of a long path the records have the name; one of them is there, or it would be unknown.
	 */
	s->path = s->is ? s->now.path : s->then.path;
	s->path_len = s->is ? s->now.path_len : s->then.path_len;
	return s->is || ret == 0 ? 0 : -ENOENT;
}

static int walking_init(struct walking *w, struct disk_env *e, uint64_t rev)
{
	int ret;

	*w = (struct walking){ .e = e, .rev = rev };
	ret = disk_errno(mdb_cursor_open(e->txn, e->dbi[DISK_NODE], &w->node));
	if (ret == 0)
		ret = disk_errno(mdb_cursor_open(e->txn, e->dbi[DISK_PAST], &w->past));
	return ret;
}

static void walking_fini(struct walking *w)
{
	if (w->node)
		mdb_cursor_close(w->node);
	if (w->past)
		mdb_cursor_close(w->past);
}

int history_known(struct disk_env *e, uint64_t rev)
{
	return rev < e->head.horizon ? -ESTALE : 0;
}

static int nothing_at(struct history_state *out, const char *path, size_t len)
{
	*out = (struct history_state){ .path = path, .path_len = (uint16_t)len };
	return 0;
}

int history_at(struct disk_env *e, uint64_t rev, const char *path, size_t len,
	       struct history_state *out)
{
	unsigned char bytes[PATH_KEY_MAX];
	MDB_val key = { path_key(path, len, bytes), bytes };
	struct walking w;
	int ret = history_known(e, rev);

	if (ret < 0)
		return ret;
	ret = walking_init(&w, e, rev);
	if (ret == 0)
		ret = state_at(&w, &key, rev, out);
	walking_fini(&w);
	if (ret == -ENOENT)
		return nothing_at(out, path, len);
	/* The key, of which the records' path may be a part, ends with this function. */
	if (ret == 0) {
		out->path = path;
		out->now.path = path;
		out->then.path = path;
	}
	return ret;
}

/* --- a path and all below it --- */

static int compare(const MDB_val *a, const MDB_val *b)
{
	size_t len = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
	int diff = memcmp(a->mv_data, b->mv_data, len);

	return diff ? diff : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

static bool begins_with(const MDB_val *key, const MDB_val *head)
{
	return key->mv_size >= head->mv_size &&
	       memcmp(key->mv_data, head->mv_data, head->mv_size) == 0;
}

/* The first key of either database that is not below @from and begins with @head, in @bytes. */
static int next_key(struct walking *w, const MDB_val *head, const MDB_val *from,
		    unsigned char bytes[PATH_KEY_MAX], MDB_val *out)
{
	MDB_val node = *from, past = *from, value;
	int a = disk_errno(mdb_cursor_get(w->node, &node, &value, MDB_SET_RANGE));
	int b = disk_errno(mdb_cursor_get(w->past, &past, &value, MDB_SET_RANGE));

	if ((a < 0 && a != -ENOENT) || (b < 0 && b != -ENOENT))
		return a < 0 && a != -ENOENT ? a : b;
	if (a == 0 && !begins_with(&node, head))
		a = -ENOENT;
	if (b == 0 && (past.mv_size <= REV_LEN || !begins_with(&past, head)))
		b = -ENOENT;
	past.mv_size -= b == 0 ? REV_LEN : 0;
	if (a < 0 && b < 0)
		return -ENOENT;
	*out = a < 0 || (b == 0 && compare(&past, &node) < 0) ? past : node;
	/* A key that ends with no revision of ours would lead back to where the walk comes from. */
	if (out->mv_size > PATH_KEY_MAX || compare(out, from) < 0)
		return -EBADMSG;
	memcpy(bytes, out->mv_data, out->mv_size);
	out->mv_data = bytes;
	return 0;
}

/* All keys of @path end here, in both databases: a revision is less than this. */
static MDB_val behind(const MDB_val *path, unsigned char bytes[PAST_KEY_MAX])
{
	memcpy(bytes, path->mv_data, path->mv_size);
	bytes[path->mv_size] = 1;
	return (MDB_val){ path->mv_size + 1, bytes };
}

static int walk_below(struct walking *w, const char *path, size_t len, history_each *each,
		      void *arg)
{
	unsigned char head_bytes[PATH_KEY_MAX], key_bytes[PATH_KEY_MAX], from_bytes[PAST_KEY_MAX];
	MDB_val head = { path_key_below(path, len, head_bytes), head_bytes };
	MDB_val from = head, key;
	struct history_state s;
	int ret;

	while ((ret = next_key(w, &head, &from, key_bytes, &key)) == 0) {
		ret = state_at(w, &key, w->rev, &s);
		if (ret == 0 && s.path_len > len && (s.is || s.was) &&
		    xs_path_is_within(s.path, s.path_len, path, len))
			ret = each(arg, &s);
		if (ret && ret != -ENOENT)
			return ret;
		from = behind(&key, from_bytes);
	}
	return ret == -ENOENT ? 0 : ret;
}

int history_walk(struct disk_env *e, uint64_t rev, const char *path, size_t len,
		 history_each *each, void *arg)
{
	struct history_state s;
	struct walking w;
	int ret = history_at(e, rev, path, len, &s);

	if (ret == 0 && (s.is || s.was))
		ret = each(arg, &s);
	if (ret)
		return ret;
	ret = walking_init(&w, e, rev);
	if (ret == 0)
		ret = walk_below(&w, path, len, each, arg);
	walking_fini(&w);
	return ret;
}

/* --- the log --- */

bool history_same(const struct stored_node *a, const struct stored_node *b)
{
	return a->mark == b->mark && a->nr_perms == b->nr_perms && a->value_len == b->value_len &&
	       memcmp(a->perms, b->perms, (size_t)a->nr_perms * PACKED_PERM) == 0 &&
	       memcmp(a->value, b->value, a->value_len) == 0;
}

/* Before and behind revision @rev. */
static int around(struct walking *w, const struct rev_record *r, uint64_t rev,
		  struct history_state *out)
{
	unsigned char bytes[PATH_KEY_MAX];
	MDB_val key = { path_key(r->path, r->path_len, bytes), bytes };
	struct history_state behind_it = { .was = false };
	int ret = state_at(w, &key, rev - 1, out);

	if (ret == 0)
		ret = state_at(w, &key, rev, &behind_it);
	/* Nothing is there since. */
	if (ret < 0 && ret != -ENOENT)
		return ret;
	out->is = behind_it.was;
	out->now = behind_it.then;
	out->path = r->path;
	out->path_len = r->path_len;
	out->now.path = out->then.path = r->path;
	return 0;
}

static int tell_change(struct walking *w, const MDB_val *key, const MDB_val *value,
		       const struct xs_path *top, history_each_change *each, void *arg)
{
	struct history_change c;
	int ret;

	if (change_key_read(key->mv_data, key->mv_size, &c.rev, &c.index) < 0 ||
	    rev_record_read(key->mv_data, value->mv_data, value->mv_size, &c.record) < 0)
		return -EBADMSG;
	/*
	 * What it made is not known any more: a later change, which nobody kept, would be taken for
	 * it.
	 */
	if (c.rev < w->e->head.horizon)
		return -ENOENT;
	if (!xs_path_is_within(c.record.path, c.record.path_len, top->text, top->len))
		return 0;
	ret = around(w, &c.record, c.rev, &c.state);
	/* What replaced everything has left this one as it was. */
	if (ret < 0 || (!c.state.is && !c.state.was) ||
	    (c.record.op == CHANGE_RESET && c.state.is && c.state.was &&
	     history_same(&c.state.now, &c.state.then)))
		return ret;
	return each(arg, &c);
}

/* The newest record before @before. */
static int newest_before(MDB_cursor *revs, const struct history_place *before, MDB_val *key,
			 MDB_val *value)
{
	unsigned char bytes[CHANGE_KEY];
	int ret = -ENOENT;

	if (before) {
		change_key(bytes, before->rev, before->index);
		*key = (MDB_val){ CHANGE_KEY, bytes };
		ret = disk_errno(mdb_cursor_get(revs, key, value, MDB_SET_RANGE));
	}
	if (ret < 0 && ret != -ENOENT)
		return ret;
	return disk_errno(mdb_cursor_get(revs, key, value, ret == 0 ? MDB_PREV : MDB_LAST));
}

int history_log(struct disk_env *e, const struct history_place *before, const struct xs_path *path,
		history_each_change *each, void *arg)
{
	MDB_cursor *revs = NULL;
	MDB_val key, value;
	struct walking w;
	int ret = walking_init(&w, e, 0);

	if (ret == 0)
		ret = disk_errno(mdb_cursor_open(e->txn, e->dbi[DISK_REV], &revs));
	if (ret == 0)
		ret = newest_before(revs, before, &key, &value);
	while (ret == 0) {
		ret = tell_change(&w, &key, &value, path, each, arg);
		if (ret == 0)
			ret = disk_errno(mdb_cursor_get(revs, &key, &value, MDB_PREV));
	}
	if (revs)
		mdb_cursor_close(revs);
	walking_fini(&w);
	return ret == -ENOENT ? 0 : ret;
}
