/* SPDX-License-Identifier: MIT */
/*
 * tree.c - nodes as records of the live environment, and the index of children by parent; named.c
 * has the other one. Layout: docs/store-format.md. Single-threaded.
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "bytes.h"
#include "log.h"
#include "named.h"
#include "store.h"
#include "packed_perms.h"
#include "tree_priv.h"
#include "xs_wire.h"

/* What a record and its entries in the indexes take beside the bytes counted one by one. */
#define NODE_COST 88u

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
	/* What there is may not be counted yet when something is committed. */
	*t = (struct tree){ .store = store, .next_id = NODE_ID_FIRST, .id_bound = UINT64_MAX,
			    .rev_bound = UINT64_MAX };
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

bool node_read(const struct tree *t, const struct store_bytes *rec, struct node *out)
{
	const unsigned char *p = rec->data;
	size_t perms_at, value_at;

	if (!node_parts(rec, &perms_at, &value_at))
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
void node_write(struct tree *t, const struct node *n, const struct node_spec *s)
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
void parent_changed(struct tree *t, const char *path, size_t len, int delta)
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

void child_put(struct tree *t, const struct node *n, const char *path, size_t len)
{
	unsigned char key[CHILD_KEY], rec[STORE_HEAD + XS_PATH_BUF] XS_NOT_CLEARED;
	const char *name = xs_path_leaf(path, len);
	size_t name_len = (size_t)(path + len - name);

	child_key(key, n->parent, n->id);
	memcpy(rec + STORE_HEAD, name, name_len);
	store_put(t->store, STORE_CHILD, key, sizeof(key), rec, STORE_HEAD + name_len);
}

/* --- changes --- */

void tree_keep_place(struct tree *t, const char *path, size_t len, size_t value_len,
		     unsigned int nr_perms)
{
	unsigned char rec[NODE_RECORD_MAX] XS_NOT_CLEARED;
	size_t size = STORE_HEAD + FIXED + nr_perms * PACKED_PERM + value_len;
	struct node_key k XS_NOT_CLEARED;

	key_of(path, len, &k);
	if (k.data != path)
		size += 2 + len;
	/* Without permissions, as no node is: node_parts(). */
	memset(rec, 0, size);
	store_put(t->store, STORE_NODE, k.data, k.len, rec, size);
}

void tree_family_begin(struct tree *t)
{
	t->family.on = true;
	t->family.len = 0;
}

void tree_family_known(struct tree *t)
{
	struct family *f = &t->family;

	named_settle(t);
	if (f->nr)
		parent_changed(t, f->path, f->len, (int)f->nr);
	f->nr = 0;
	f->len = 0;
}

void tree_family_end(struct tree *t)
{
	tree_family_known(t);
	t->family.on = false;
}

/* The id of the directory that gets one node more; 0: there is none. */
static uint64_t parent_of(struct tree *t, const char *path, size_t len)
{
	struct family *f = &t->family;
	struct node parent;

	if (f->on && f->len == len && len && memcmp(f->path, path, len) == 0)
		return f->id;
	tree_family_known(t);
	if (!len || !tree_find(t, path, len, &parent))
		return 0;
	if (f->on) {
		memcpy(f->path, path, len);
		f->len = len;
		f->id = parent.id;
	}
	return parent.id;
}

void tree_add(struct tree *t, const struct node_spec *s, struct node *out)
{
	size_t parent_len = s->path[0] == '/' ? xs_path_parent_len(s->path, s->len) : 0;
	uint64_t parent = parent_of(t, s->path, parent_len);

	t->changed |= s->gen == 0;
	*out = (struct node){
		.id = s->len == 1 && s->path[0] == '/' ? NODE_ID_ROOT : t->next_id++,
		.parent = parent,
		.gen = s->gen ? s->gen : tree_now(t),
		.value = s->value,
		.value_len = (uint32_t)s->value_len,
		.perms = perms_ref(s->perms),
		.mark = s->mark,
	};
	node_write(t, out, s);
	named_put(t, s->perms, out, s->path, s->len);
	if (parent_len) {
		child_put(t, out, s->path, s->len);
		if (t->family.on && t->family.len)
			t->family.nr++;
		else
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

	tree_change_untraced(t);
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

	tree_change_untraced(t);
	/* The old record is where the value is. */
	memcpy(value, n->value, n->value_len);
	named_del(t, old, n, path, len);
	n->perms = perms_ref(perms);
	node_write(t, n, &s);
	named_put(t, perms, n, path, len);
	tree_find(t, path, len, n);
	perms_put(&t->perms, old);
}

void tree_replace(struct tree *t, const struct node_spec *s, struct node *n)
{
	struct perms *old = n->perms;

	/* The revision that goes may have been the highest. */
	t->unsaved = true;
	named_del(t, old, n, s->path, s->len);
	n->gen = s->gen;
	n->perms = perms_ref(s->perms);
	node_write(t, n, s);
	named_put(t, n->perms, n, s->path, s->len);
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
	named_del(t, n.perms, &n, path, len);
	store_del(t->store, STORE_NODE, k.data, k.len);
	if (n.parent) {
		child_key(key, n.parent, n.id);
		store_del(t->store, STORE_CHILD, key, sizeof(key));
		if (top)
			parent_changed(t, path, xs_path_parent_len(path, len), -1);
	} else {
		tree_change_untraced(t);
	}
	perms_put(&t->perms, n.perms);
	t->nr_nodes--;
}

/* So many numbers are given out before another record says so. */
#define BLOCK 4096u
/* Records of STORE_META: the numbers to go on with; above all revisions there may have been. */
#define NUMBERS "tree"
#define BOUND	"bound"

static void stage_bound(struct tree *t)
{
	unsigned char rec[STORE_HEAD + 8];

	if (t->rev <= t->rev_bound)
		return;
	t->rev_bound = t->rev + BLOCK;
	put_le64(rec + STORE_HEAD, t->rev_bound);
	store_put(t->store, STORE_META, BOUND, strlen(BOUND), rec, sizeof(rec));
}

void tree_stage(struct tree *t)
{
	unsigned char rec[STORE_HEAD + 16];

	stage_bound(t);
	if (!t->unsaved && t->next_id <= t->id_bound)
		return;
	t->unsaved = false;
	if (t->next_id > t->id_bound)
		t->id_bound = t->next_id + BLOCK;
	put_le64(rec + STORE_HEAD, t->rev);
	put_le64(rec + STORE_HEAD + 8, t->id_bound);
	store_put(t->store, STORE_META, NUMBERS, strlen(NUMBERS), rec, sizeof(rec));
}

void tree_continue(struct tree *t, uint64_t rev)
{
	t->rev = rev;
	t->unsaved = true;
}

void tree_change_untraced(struct tree *t)
{
	t->changed = t->untraced = true;
}

bool tree_publish(struct tree *t)
{
	if (!t->changed)
		return false;
	t->rev++;
	t->unsaved |= t->untraced;
	t->changed = t->untraced = false;
	return true;
}

/* A record as a node, and the length of its name. False: it makes no sense. */
static bool recorded(const struct tree *t, const struct store_bytes *key,
		     const struct store_bytes *rec, struct node *n, size_t *name_len)
{
	const char *path;
	size_t len;

	if (!node_read(t, rec, n))
		return false;
	path = node_path(key, rec, &len);
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
int tree_count_perms(struct tree *t)
{
	struct store_bytes key, rec;
	bool more = store_seek(t->store, STORE_NODE, "", 1, &key, &rec);

	for (; more; more = store_next(t->store, STORE_NODE, &key, &rec)) {
		const unsigned char *p = rec.data;
		size_t perms_at, value_at;

		if (!node_parts(&rec, &perms_at, &value_at))
			continue;
		if (!perms_count(&t->perms, p + perms_at, get_le16(p + AT_NR_PERMS)))
			return -ENOMEM;
		keep_counters(t, p);
		t->nr_nodes++;
	}
	return 0;
}

/* 0: nothing says so. */
static uint64_t bound_of(struct tree *t)
{
	struct store_bytes rec;

	return store_get(t->store, STORE_META, BOUND, strlen(BOUND), &rec) && rec.len == 8 ?
		       get_le64(rec.data) : 0;
}

void tree_skip_lost(struct tree *t)
{
	t->rev = bound_of(t);
}

int tree_recount(struct tree *t, tree_each *each, void *arg)
{
	struct store_bytes rec;
	int ret;

	/* Of a tree that was mended: what its revision was before is not in the record. */
	t->unsaved = t->rev > 0;
	if (store_get(t->store, STORE_META, NUMBERS, strlen(NUMBERS), &rec) && rec.len == 16) {
		if (get_le64(rec.data) > t->rev)
			t->rev = get_le64(rec.data);
		t->next_id = t->id_bound = get_le64((const unsigned char *)rec.data + 8);
	} else {
		t->id_bound = 0;
	}
	t->rev_bound = bound_of(t);
	ret = tree_count_perms(t);
	if (ret == 0)
		ret = named_resume(t);
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
