/* SPDX-License-Identifier: MIT */
/*
 * tree_mend.c - see tree_mend.h. Nodes are read, what is missing between them is made, all get new
 * ids in the order of their paths' depth, and the indexes are written again.
 */
#include "tree_mend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "named.h"
#include "tree_priv.h"

/* What is known of a node from its record. */
struct saved_node {
	uint64_t id, parent;
	uint32_t nr_children;	/* says its record */
	uint32_t nr_known;	/* have a record or a name */
	unsigned int depth;
	size_t path_at, len;
};

struct mending {
	struct tree *t;
	struct buf nodes;	/* struct saved_node, in order of ids in the end */
	struct buf paths;
};

static struct saved_node *saved(const struct mending *m)
{
	return (struct saved_node *)(void *)buf_front(&m->nodes);
}

static size_t nr_saved(const struct mending *m)
{
	return buf_len(&m->nodes) / sizeof(struct saved_node);
}

static const char *saved_path(const struct mending *m, const struct saved_node *s)
{
	return buf_front(&m->paths) + s->path_at;
}

static int by_id(const void *a, const void *b)
{
	const struct saved_node *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Parents first, children in their order. */
static int by_depth(const void *a, const void *b)
{
	const struct saved_node *x = a, *y = b;

	return x->depth != y->depth ? (x->depth < y->depth ? -1 : 1) : by_id(a, b);
}

static struct saved_node *saved_by_id(const struct mending *m, uint64_t id)
{
	const struct saved_node key = { .id = id };

	return bsearch(&key, saved(m), nr_saved(m), sizeof(key), by_id);
}

static int save_node(struct mending *m, struct saved_node s, const char *path)
{
	s.depth = path[0] == '/' ? xs_path_depth_below(path, s.len, 1) : 0;
	s.path_at = buf_len(&m->paths);
	if (buf_append(&m->paths, path, s.len) < 0 || buf_append(&m->nodes, &s, sizeof(s)) < 0)
		return -ENOMEM;
	return 0;
}

static int save_nodes(struct mending *m)
{
	struct store_bytes key, rec;
	bool more = store_seek(m->t->store, STORE_NODE, "", 1, &key, &rec);
	int ret = 0;

	for (; more && ret == 0; more = store_next(m->t->store, STORE_NODE, &key, &rec)) {
		const unsigned char *bytes = rec.data;
		size_t perms_at, value_at;
		struct saved_node s = { 0 };
		const char *path;

		if (!node_parts(&rec, &perms_at, &value_at))
			continue;
		path = node_path(&key, &rec, &s.len);
		s.id = get_le64(bytes + AT_ID);
		s.parent = get_le64(bytes + AT_PARENT);
		s.nr_children = get_le32(bytes + AT_NR_CHILDREN);
		ret = save_node(m, s, path);
	}
	qsort(saved(m), nr_saved(m), sizeof(struct saved_node), by_id);
	return ret;
}

/* An empty node of domain 0's in the place of one that is lost; @id: what it comes before. */
static int put_lost(struct mending *m, const char *path, size_t len, uint64_t id)
{
	const struct xs_perm nobody = { 0, 0 };
	struct node n = { .id = id, .gen = m->t->rev };
	struct node_spec s = { .path = path, .len = len };

	s.perms = perms_get(&m->t->perms, &nobody, 1);
	if (!s.perms)
		return -ENOMEM;
	node_write(m->t, &n, &s);
	perms_put(&m->t->perms, s.perms);
	return save_node(m, (struct saved_node){ .id = id, .len = len }, path);
}

/* Each node's parent is there, or is made: upwards, until one has all it needs. */
static int find_parents(struct mending *m)
{
	int ret = 0;

	for (size_t i = 0; i < nr_saved(m) && ret == 0; i++) {
		struct saved_node s = saved(m)[i];
		const char *own = saved_path(m, &s);
		size_t above = own[0] == '/' ? xs_path_parent_len(own, s.len) : 0;
		char path[XS_PATH_BUF];
		struct node n;

		if (!above)
			continue;
		memcpy(path, own, above);
		if (tree_find(m->t, path, above, &n))
			continue;
		if (store_room(m->t->store, 4, above, true) < 0)
			return -ENOSPC;
		log_errorx("%.*s: lost with its value and rights; it is empty now", (int)above, path);
		ret = put_lost(m, path, above, s.id);
	}
	qsort(saved(m), nr_saved(m), sizeof(struct saved_node), by_depth);
	return ret;
}

/* What the index names and nobody has; a child whose parent is lost, too, is named by its name. */
static void name_lost(const struct mending *m)
{
	struct store_bytes key, rec;
	bool more = store_seek(m->t->store, STORE_CHILD, "", 1, &key, &rec);

	for (; more; more = store_next(m->t->store, STORE_CHILD, &key, &rec)) {
		struct saved_node *parent;

		if (key.len != CHILD_KEY ||
		    saved_by_id(m, get_be64((const unsigned char *)key.data + 8)))
			continue;
		parent = saved_by_id(m, get_be64(key.data));
		log_errorx("%.*s/%.*s: lost", parent && parent->len > 1 ? (int)parent->len : 0,
			   parent ? saved_path(m, parent) : "", (int)rec.len,
			   (const char *)rec.data);
		if (parent)
			parent->nr_known++;
	}
}

/* Of who has lost the record and the entry in the index, too, the parent's count knows. */
static void count_nameless(const struct mending *m)
{
	for (size_t i = 0; i < nr_saved(m); i++) {
		struct saved_node *parent = saved_by_id(m, saved(m)[i].parent);

		if (parent)
			parent->nr_known++;
	}
	for (size_t i = 0; i < nr_saved(m); i++) {
		const struct saved_node *s = &saved(m)[i];

		if (s->nr_known < s->nr_children)
			log_errorx("%.*s: lost: %u of its children, with their names", (int)s->len,
				   saved_path(m, s), s->nr_children - s->nr_known);
	}
}

static int clear_table(struct tree *t, enum store_table table)
{
	struct store_bytes key, rec;

	while (store_seek(t->store, table, "", 1, &key, &rec)) {
		unsigned char copy[STORE_KEY_MAX];

		if (store_room(t->store, 1, 0, true) < 0)
			return -ENOSPC;
		/* Making room may have moved it. */
		if (!store_seek(t->store, table, "", 1, &key, &rec))
			break;
		memcpy(copy, key.data, key.len);
		store_del(t->store, table, copy, key.len);
	}
	return 0;
}

/* The entries of one node in the indexes; the children of its parent are counted. */
static int index_again(struct mending *m, const struct saved_node *s)
{
	const char *path = saved_path(m, s);
	size_t above = path[0] == '/' ? xs_path_parent_len(path, s->len) : 0;
	struct node n, parent;

	if (store_room(m->t->store, 40, s->len, true) < 0)
		return -ENOSPC;
	if (!tree_find(m->t, path, s->len, &n))
		return 0;
	named_put(m->t, n.perms, &n, path, s->len);
	if (!above || !tree_find(m->t, path, above, &parent))
		return 0;
	n.parent = parent.id;
	child_put(m->t, &n, path, s->len);
	parent_changed(m->t, path, above, 1);
	return 0;
}

/* A new id, larger than the parent's, who has one already; no children are counted. */
static int begin_again(struct mending *m, const struct saved_node *s)
{
	unsigned char rec[NODE_RECORD_MAX] XS_NOT_CLEARED, *p = rec + STORE_HEAD;
	const char *path = saved_path(m, s);
	size_t above = path[0] == '/' ? xs_path_parent_len(path, s->len) : 0;
	struct node_key k XS_NOT_CLEARED;
	struct store_bytes old;
	struct node parent = { 0 };

	if (above)
		tree_find(m->t, path, above, &parent);
	if (store_room(m->t->store, 2, sizeof(rec), true) < 0)
		return -ENOSPC;
	key_of(path, s->len, &k);
	if (!store_get(m->t->store, STORE_NODE, k.data, k.len, &old) ||
	    old.len > sizeof(rec) - STORE_HEAD)
		return 0;
	memcpy(p, old.data, old.len);
	put_le32(p + AT_NR_CHILDREN, 0);
	put_le64(p + AT_ID, s->len == 1 && path[0] == '/' ? NODE_ID_ROOT : m->t->next_id++);
	put_le64(p + AT_PARENT, parent.id);
	store_put(m->t->store, STORE_NODE, k.data, k.len, rec, STORE_HEAD + old.len);
	return 0;
}

/* Sets are only known when nodes are counted: tree_find() needs them before. */
static int know_perms(struct tree *t)
{
	int ret = tree_count_perms(t);

	t->nr_nodes = 0;
	return ret;
}

/* Says what is lost, unless a start that was cut off has begun to mend: it has said so. */
static int tell_lost(struct mending *m)
{
	unsigned char rec[STORE_HEAD];
	struct store_bytes old;

	if (store_get(m->t->store, STORE_META, STORE_MENDING, strlen(STORE_MENDING), &old))
		return 0;
	name_lost(m);
	count_nameless(m);
	if (store_room(m->t->store, 1, 0, true) < 0)
		return -ENOSPC;
	store_put(m->t->store, STORE_META, STORE_MENDING, strlen(STORE_MENDING), rec, sizeof(rec));
	return 0;
}

/* With the last change of it. */
static int mended(struct tree *t)
{
	if (store_room(t->store, 2, 0, true) < 0)
		return -ENOSPC;
	store_del(t->store, STORE_META, STORE_UNNAMED, strlen(STORE_UNNAMED));
	store_del(t->store, STORE_META, STORE_MENDING, strlen(STORE_MENDING));
	return 0;
}

int tree_mend(struct tree *t)
{
	struct mending m = { .t = t };
	int ret = know_perms(t);

	tree_skip_lost(t);
	if (ret == 0)
		ret = save_nodes(&m);
	if (ret == 0)
		ret = tell_lost(&m);
	if (ret == 0)
		ret = find_parents(&m);
	if (ret == 0)
		ret = clear_table(t, STORE_CHILD);
	if (ret == 0)
		ret = clear_table(t, STORE_NAMED);
	t->next_id = NODE_ID_FIRST;
	for (size_t i = 0; i < nr_saved(&m) && ret == 0; i++)
		ret = begin_again(&m, &saved(&m)[i]);
	for (size_t i = 0; i < nr_saved(&m) && ret == 0; i++)
		ret = index_again(&m, &saved(&m)[i]);
	if (ret == 0)
		ret = mended(t);
	buf_fini(&m.nodes);
	buf_fini(&m.paths);
	/* The count that is to come makes its own references. */
	perms_table_fini(&t->perms);
	return ret < 0 ? ret : perms_table_init(&t->perms);
}
