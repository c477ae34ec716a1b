/* SPDX-License-Identifier: MIT */
/*
 * tree.c - nodes as records of the live environment, and their indexes: children by parent, nodes
 * by the domains that their permissions name. Layout: docs/store-format.md. Single-threaded.
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "bytes.h"
#include "log.h"
#include "store.h"
#include "packed_perms.h"
#include "path_key.h"
#include "tree_mend.h"
#include "xs_wire.h"

/* The record of a node, behind STORE_HEAD. */
#define AT_NR_CHILDREN	0
#define AT_ID		4
#define AT_PARENT	12
#define AT_GEN		20
#define AT_CHILDREN_GEN	28
#define AT_MARK		36
#define AT_FLAGS	37
#define AT_NR_PERMS	38
#define FIXED		40
#define FLAG_PATH	1u	/* length and path follow: the key is not the path itself */

/* What a record and its entries in the indexes take beside the bytes counted one by one. */
#define NODE_COST 88u

#define NODE_RECORD_MAX (STORE_HEAD + FIXED + 2 + XS_PATH_BUF + XENSTORE_PAYLOAD_MAX * 4)

/* A key of STORE_NODE. */
struct node_key {
	size_t len;
	const void *data;
	unsigned char long_key[PATH_KEY_MAX];
};

static void key_of(const char *path, size_t len, struct node_key *k)
{
	k->data = path;
	k->len = len;
	if (len > PATH_KEY_MAX) {
		k->data = k->long_key;
		k->len = path_key(path, len, k->long_key);
	}
}

uint32_t path_hash(const char *path, size_t len)
{
	uint32_t h = PATH_HASH_SEED;

	if (len == 1 && path[0] == '/')
		return h;
	for (size_t i = 0; i < len; i++)
		h = path_hash_step(h, path[i]);
	return h;
}

int tree_init(struct tree *t, struct store *store)
{
	*t = (struct tree){ .store = store, .next_id = NODE_ID_FIRST };
	return perms_table_init(&t->perms);
}

void tree_fini(struct tree *t)
{
	perms_table_fini(&t->perms);
	*t = (struct tree){ 0 };
}

size_t node_charge(size_t name_len, size_t value_len, unsigned int nr_perms)
{
	/* What the indexes take, too, about. */
	return NODE_COST + name_len + value_len + nr_perms * sizeof(struct xs_perm);
}

/* Where the permissions are in a record, and behind them the value. False: it makes no sense. */
static bool parts(const struct store_bytes *rec, size_t *perms_at, size_t *value_at)
{
	const unsigned char *p = rec->data;

	if (rec->len < FIXED)
		return false;
	*perms_at = FIXED;
	if (p[AT_FLAGS] & FLAG_PATH) {
		if (rec->len < FIXED + 2)
			return false;
		*perms_at += 2u + get_le16(p + FIXED);
	}
	*value_at = *perms_at + get_le16(p + AT_NR_PERMS) * PACKED_PERM;
	return *value_at <= rec->len && *value_at > *perms_at;
}

static bool node_read(const struct tree *t, const struct store_bytes *rec, struct node *out)
{
	const unsigned char *p = rec->data;
	size_t perms_at, value_at;

	if (!parts(rec, &perms_at, &value_at))
		return false;
	out->nr_children = get_le32(p + AT_NR_CHILDREN);
	out->id = get_le64(p + AT_ID);
	out->parent = get_le64(p + AT_PARENT);
	out->gen = get_le64(p + AT_GEN);
	out->children_gen = get_le64(p + AT_CHILDREN_GEN);
	out->mark = p[AT_MARK];
	out->value = (const char *)p + value_at;
	out->value_len = (uint32_t)(rec->len - value_at);
	out->perms = perms_packed(&t->perms, p + perms_at, get_le16(p + AT_NR_PERMS));
	return true;
}

bool tree_find(const struct tree *t, const char *path, size_t len, struct node *out)
{
	struct store_bytes rec;
	struct node_key k XS_NOT_CLEARED;

	key_of(path, len, &k);
	return store_get(t->store, STORE_NODE, k.data, k.len, &rec) && node_read(t, &rec, out);
}

/* Writes the whole record. @n: all but value and permissions is taken from there. */
static void node_write(struct tree *t, const struct node *n, const struct node_spec *s)
{
	unsigned char rec[NODE_RECORD_MAX] XS_NOT_CLEARED;
	unsigned char *p = rec + STORE_HEAD, *at = p + FIXED;
	struct node_key k XS_NOT_CLEARED;

	key_of(s->path, s->len, &k);
	put_le32(p + AT_NR_CHILDREN, n->nr_children);
	put_le64(p + AT_ID, n->id);
	put_le64(p + AT_PARENT, n->parent);
	put_le64(p + AT_GEN, n->gen);
	put_le64(p + AT_CHILDREN_GEN, n->children_gen);
	p[AT_MARK] = s->mark;
	p[AT_FLAGS] = k.data == s->path ? 0 : FLAG_PATH;
	put_le16(p + AT_NR_PERMS, s->perms->nr);
	if (p[AT_FLAGS]) {
		put_le16(at, (uint16_t)s->len);
		memcpy(at + 2, s->path, s->len);
		at += 2 + s->len;
	}
	for (unsigned int i = 0; i < s->perms->nr; i++)
		packed_perm_put(at, i, &s->perms->e[i]);
	at += s->perms->nr * PACKED_PERM;
	if (s->value_len)
		memcpy(at, s->value, s->value_len);
	store_put(t->store, STORE_NODE, k.data, k.len, rec, (size_t)(at - rec) + s->value_len);
}

/* The set of children has changed by @delta. */
static void parent_changed(struct tree *t, const char *path, size_t len, int delta)
{
	unsigned char rec[NODE_RECORD_MAX] XS_NOT_CLEARED, *p = rec + STORE_HEAD;
	struct node_key k XS_NOT_CLEARED;
	struct store_bytes old;

	key_of(path, len, &k);
	if (!store_get(t->store, STORE_NODE, k.data, k.len, &old) || old.len > sizeof(rec) - STORE_HEAD)
		return;
	memcpy(p, old.data, old.len);
	put_le32(p + AT_NR_CHILDREN, get_le32(p + AT_NR_CHILDREN) + (uint32_t)delta);
	put_le64(p + AT_CHILDREN_GEN, tree_now(t));
	store_put(t->store, STORE_NODE, k.data, k.len, rec, STORE_HEAD + old.len);
}

/* --- the indexes --- */

#define CHILD_KEY 16
#define NAMED_KEY 10

static void child_key(unsigned char *key, uint64_t parent, uint64_t id)
{
	put_be64(key, parent);
	put_be64(key + 8, id);
}

static void child_put(struct tree *t, const struct node *n, const char *path, size_t len)
{
	unsigned char key[CHILD_KEY], rec[STORE_HEAD + XS_PATH_BUF] XS_NOT_CLEARED;
	const char *name = xs_path_leaf(path, len);
	size_t name_len = (size_t)(path + len - name);

	child_key(key, n->parent, n->id);
	memcpy(rec + STORE_HEAD, name, name_len);
	store_put(t->store, STORE_CHILD, key, sizeof(key), rec, STORE_HEAD + name_len);
}

/* For each domain but 0 that @perms name: an entry of node @id, put or deleted. */
static void named_change(struct tree *t, const struct perms *perms, uint64_t id, const char *path,
			 size_t len, bool put)
{
	unsigned char key[NAMED_KEY], rec[STORE_HEAD + XS_PATH_BUF] XS_NOT_CLEARED;

	for (unsigned int i = 0; i < perms->nr; i++) {
		if (perms->e[i].domid == 0)
			continue;
		be16_put(key, perms->e[i].domid);
		put_be64(key + 2, id);
		if (put) {
			memcpy(rec + STORE_HEAD, path, len);
			store_put(t->store, STORE_NAMED, key, sizeof(key), rec, STORE_HEAD + len);
		} else {
			store_del(t->store, STORE_NAMED, key, sizeof(key));
		}
	}
}

bool tree_named(const struct tree *t, unsigned int domid, uint64_t *id, struct xs_path *out)
{
	unsigned char key[NAMED_KEY];
	struct store_bytes found, rec;

	be16_put(key, domid);
	put_be64(key + 2, *id);
	if (!store_seek(t->store, STORE_NAMED, key, sizeof(key), &found, &rec) ||
	    found.len != NAMED_KEY || be16_get(found.data) != domid || rec.len >= XS_PATH_BUF)
		return false;
	*id = get_be64((const unsigned char *)found.data + 2);
	memcpy(out->text, rec.data, rec.len);
	out->text[rec.len] = '\0';
	out->len = rec.len;
	return true;
}

bool tree_named_next(const struct tree *t, unsigned int *domid)
{
	unsigned char key[NAMED_KEY] = { 0 };
	struct store_bytes found, rec;

	be16_put(key, *domid);
	if (*domid > UINT16_MAX ||
	    !store_seek(t->store, STORE_NAMED, key, sizeof(key), &found, &rec))
		return false;
	*domid = be16_get(found.data);
	return true;
}

/* --- changes --- */

void tree_add(struct tree *t, const struct node_spec *s, struct node *out)
{
	size_t parent_len = s->path[0] == '/' ? xs_path_parent_len(s->path, s->len) : 0;
	struct node parent = { 0 };

	if (parent_len)
		tree_find(t, s->path, parent_len, &parent);
	t->changed |= s->gen == 0;
	*out = (struct node){
		.id = s->len == 1 && s->path[0] == '/' ? NODE_ID_ROOT : t->next_id++,
		.parent = parent.id,
		.gen = s->gen ? s->gen : tree_now(t),
		.value = s->value,
		.value_len = (uint32_t)s->value_len,
		.perms = perms_ref(s->perms),
		.mark = s->mark,
	};
	node_write(t, out, s);
	named_change(t, s->perms, out->id, s->path, s->len, true);
	if (parent_len) {
		child_put(t, out, s->path, s->len);
		parent_changed(t, s->path, parent_len, 1);
	}
	t->nr_nodes++;
}

void tree_set_value(struct tree *t, const char *path, size_t len, struct node *n,
		    const char *value, size_t value_len, uint8_t mark)
{
	const struct node_spec s = { path, len, value, value_len, n->perms, mark, 0 };

	t->changed = true;
	n->gen = tree_now(t);
	n->value = value;
	n->value_len = (uint32_t)value_len;
	n->mark = mark;
	node_write(t, n, &s);
}

void tree_set_mark(struct tree *t, const char *path, size_t len, struct node *n, uint8_t mark)
{
	char value[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	const struct node_spec s = { path, len, value, n->value_len, n->perms, mark, 0 };

	t->changed = true;
	/* The old record is where the value is. */
	memcpy(value, n->value, n->value_len);
	n->mark = mark;
	node_write(t, n, &s);
}

void tree_set_perms(struct tree *t, const char *path, size_t len, struct node *n,
		    struct perms *perms)
{
	char value[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	const struct node_spec s = { path, len, value, n->value_len, perms, n->mark, 0 };
	struct perms *old = n->perms;

	t->changed = true;
	/* The old record is where the value is. */
	memcpy(value, n->value, n->value_len);
	named_change(t, old, n->id, path, len, false);
	n->perms = perms_ref(perms);
	node_write(t, n, &s);
	named_change(t, perms, n->id, path, len, true);
	tree_find(t, path, len, n);
	perms_put(&t->perms, old);
}

void tree_remove(struct tree *t, const char *path, size_t len, bool top)
{
	unsigned char key[CHILD_KEY];
	struct node_key k XS_NOT_CLEARED;
	struct node n;

	if (!tree_find(t, path, len, &n))
		return;
	t->changed = true;
	key_of(path, len, &k);
	named_change(t, n.perms, n.id, path, len, false);
	store_del(t->store, STORE_NODE, k.data, k.len);
	if (n.parent) {
		child_key(key, n.parent, n.id);
		store_del(t->store, STORE_CHILD, key, sizeof(key));
		if (top)
			parent_changed(t, path, xs_path_parent_len(path, len), -1);
	}
	perms_put(&t->perms, n.perms);
	t->nr_nodes--;
}

void tree_stage(struct tree *t)
{
	unsigned char rec[STORE_HEAD + 16];

	if (!t->unsaved)
		return;
	t->unsaved = false;
	put_le64(rec + STORE_HEAD, t->rev);
	put_le64(rec + STORE_HEAD + 8, t->next_id);
	store_put(t->store, STORE_META, "tree", 4, rec, sizeof(rec));
}

void tree_continue(struct tree *t, uint64_t rev)
{
	t->rev = rev;
	t->unsaved = true;
}

bool tree_publish(struct tree *t)
{
	if (!t->changed)
		return false;
	t->rev++;
	t->changed = false;
	t->unsaved = true;
	return true;
}

/* A record as a node, and the length of its name. False: it makes no sense. */
static bool recorded(const struct tree *t, const struct store_bytes *key,
		     const struct store_bytes *rec, struct node *n, size_t *name_len)
{
	const unsigned char *p = rec->data;
	const char *path = key->data;
	size_t len = key->len;

	if (!node_read(t, rec, n))
		return false;
	if (p[AT_FLAGS] & FLAG_PATH) {
		path = (const char *)p + FIXED + 2;
		len = get_le16(p + FIXED);
	}
	*name_len = len;
	if (len > 0 && path[0] == '/')
		*name_len = (size_t)(path + len - xs_path_leaf(path, len));
	return true;
}

void tree_each_node(const struct tree *t, tree_each *each, void *arg)
{
	struct store_bytes key, rec;
	bool more = store_seek(t->store, STORE_NODE, "", 1, &key, &rec);
	struct node n;

	for (; more; more = store_next(t->store, STORE_NODE, &key, &rec)) {
		size_t name_len;

		if (recorded(t, &key, &rec, &n, &name_len))
			each(arg, &n, name_len);
	}
}

/* Ids and revisions go on above all that are in use, whatever else is lost. */
static void keep_counters(struct tree *t, const unsigned char *p)
{
	if (get_le64(p + AT_ID) >= t->next_id)
		t->next_id = get_le64(p + AT_ID) + 1;
	if (get_le64(p + AT_GEN) > t->rev)
		t->rev = get_le64(p + AT_GEN);
	if (get_le64(p + AT_CHILDREN_GEN) > t->rev)
		t->rev = get_le64(p + AT_CHILDREN_GEN);
}

/* Makes sure that the set of permissions of each node is known. 0 or -ENOMEM. */
static int count_perms(struct tree *t)
{
	struct store_bytes key, rec;
	bool more = store_seek(t->store, STORE_NODE, "", 1, &key, &rec);

	for (; more; more = store_next(t->store, STORE_NODE, &key, &rec)) {
		const unsigned char *p = rec.data;
		size_t perms_at, value_at;

		if (!parts(&rec, &perms_at, &value_at))
			continue;
		if (!perms_count(&t->perms, p + perms_at, get_le16(p + AT_NR_PERMS)))
			return -ENOMEM;
		keep_counters(t, p);
		t->nr_nodes++;
	}
	return 0;
}

int tree_recount(struct tree *t, tree_each *each, void *arg)
{
	struct store_bytes rec;
	int ret;

	if (store_get(t->store, STORE_META, "tree", 4, &rec) && rec.len == 16) {
		t->rev = get_le64(rec.data);
		t->next_id = get_le64((const unsigned char *)rec.data + 8);
	}
	ret = count_perms(t);
	if (ret == 0)
		tree_each_node(t, each, arg);
	return ret;
}

/* --- ways through it --- */

static bool child_at(const struct store_bytes *found, const struct store_bytes *rec,
		     uint64_t parent, struct child *c)
{
	if (found->len != CHILD_KEY || get_be64(found->data) != parent)
		return false;
	*c = (struct child){
		.parent = parent,
		.id = get_be64((const unsigned char *)found->data + 8),
		.name = rec->data,
		.len = rec->len,
	};
	return true;
}

/* The first child of @parent from id @from on. */
static bool child_from(const struct tree *t, uint64_t parent, uint64_t from, struct child *c)
{
	unsigned char key[CHILD_KEY];
	struct store_bytes found, rec;

	child_key(key, parent, from);
	return store_seek(t->store, STORE_CHILD, key, sizeof(key), &found, &rec) &&
	       child_at(&found, &rec, parent, c);
}

bool child_first(const struct tree *t, uint64_t id, struct child *c)
{
	return child_from(t, id, 0, c);
}

bool child_next(const struct tree *t, struct child *c)
{
	struct store_bytes found, rec;

	return store_next(t->store, STORE_CHILD, &found, &rec) && child_at(&found, &rec, c->parent, c);
}

bool walk_begin(struct walk *w, const struct tree *t, const char *path, size_t len)
{
	w->tree = t;
	w->top_len = w->len = len;
	w->depth = 0;
	memcpy(w->path, path, len);
	w->path[len] = '\0';
	return tree_find(t, path, len, &w->node);
}

/* To child @c of the node whose path is the first @len bytes. */
static bool walk_into(struct walk *w, size_t len, const struct child *c)
{
	if (len == 1)
		len = 0;
	if (len + 1 + c->len > XENSTORE_ABS_PATH_MAX)
		return false;
	w->path[len] = '/';
	memcpy(w->path + len + 1, c->name, c->len);
	w->len = len + 1 + c->len;
	w->path[w->len] = '\0';
	return tree_find(w->tree, w->path, w->len, &w->node);
}

bool walk_next(struct walk *w, unsigned int max)
{
	struct child c;

	if (w->node.nr_children && w->depth < max && child_first(w->tree, w->node.id, &c)) {
		w->depth++;
		return walk_into(w, w->len, &c);
	}
	while (w->len != w->top_len) {
		size_t above = xs_path_parent_len(w->path, w->len);

		if (child_from(w->tree, w->node.parent, w->node.id + 1, &c))
			return walk_into(w, above, &c);
		w->len = above;
		w->path[above] = '\0';
		w->depth--;
		if (!tree_find(w->tree, w->path, w->len, &w->node))
			return false;
	}
	return false;
}

/* --- after damage: tree_mend.h --- */

/* What is known of a node from its record. */
struct saved_node {
	uint64_t id;
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

static const struct saved_node *saved_by_id(const struct mending *m, uint64_t id)
{
	const struct saved_node key = { .id = id };

	return bsearch(&key, saved(m), nr_saved(m), sizeof(key), by_id);
}

static int save_node(struct mending *m, uint64_t id, const char *path, size_t len)
{
	const struct saved_node s = {
		.id = id,
		.depth = path[0] == '/' ? xs_path_depth_below(path, len, 1) : 0,
		.path_at = buf_len(&m->paths),
		.len = len,
	};

	if (buf_append(&m->paths, path, len) < 0 || buf_append(&m->nodes, &s, sizeof(s)) < 0)
		return -ENOMEM;
	return 0;
}

static int save_nodes(struct mending *m)
{
	struct store_bytes key, rec;
	bool more = store_seek(m->t->store, STORE_NODE, "", 1, &key, &rec);
	int ret = 0;

	for (; more && ret == 0; more = store_next(m->t->store, STORE_NODE, &key, &rec)) {
		const unsigned char *p = rec.data;
		size_t perms_at, value_at, len = key.len;
		const char *path = key.data;

		if (!parts(&rec, &perms_at, &value_at))
			continue;
		if (p[AT_FLAGS] & FLAG_PATH) {
			path = (const char *)p + FIXED + 2;
			len = get_le16(p + FIXED);
		}
		ret = save_node(m, get_le64(p + AT_ID), path, len);
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
	return save_node(m, id, path, len);
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
		const struct saved_node *parent;

		if (key.len != CHILD_KEY ||
		    saved_by_id(m, get_be64((const unsigned char *)key.data + 8)))
			continue;
		parent = saved_by_id(m, get_be64(key.data));
		log_errorx("%.*s/%.*s: lost", parent && parent->len > 1 ? (int)parent->len : 0,
			   parent ? saved_path(m, parent) : "", (int)rec.len,
			   (const char *)rec.data);
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
	named_change(m->t, n.perms, n.id, path, s->len, true);
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
	int ret = count_perms(t);

	t->nr_nodes = 0;
	return ret;
}

int tree_mend(struct tree *t)
{
	struct mending m = { .t = t };
	int ret = know_perms(t);

	if (ret == 0)
		ret = save_nodes(&m);
	if (ret == 0)
		name_lost(&m);
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
	buf_fini(&m.nodes);
	buf_fini(&m.paths);
	/* The count that is to come makes its own references. */
	perms_table_fini(&t->perms);
	return ret < 0 ? ret : perms_table_init(&t->perms);
}
