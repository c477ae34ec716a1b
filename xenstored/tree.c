/* SPDX-License-Identifier: MIT */
/*
 * tree.c - where the nodes hang: the hash table by path, parents and children. Nothing is looked up
 * by walking down: the hash of a path is computed once over its bytes and the candidate is
 * verified by walking up its parents. No lock: single-threaded.
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree_priv.h"

#define FIRST_BUCKETS 1024

/* Nodes a bucket before there are more of them. */
#define CHAIN_MEAN 2u

/* FNV-1a continued: hash(parent path + "/" + name) follows from hash(parent path). */
static uint32_t hash_bytes(uint32_t h, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = tree_hash_step(h, p[i]);
	return h;
}

static size_t bucket_of(const struct tree *t, uint32_t hash)
{
	return (hash ^ hash >> 16) & (t->nr_buckets - 1);
}

/* All but the memory of the nodes. */
static int tables_init(struct tree *t)
{
	t->bucket = calloc(FIRST_BUCKETS, sizeof(*t->bucket));
	if (!t->bucket)
		return -ENOMEM;
	t->nr_buckets = FIRST_BUCKETS;
	return perms_table_init(&t->perms, &t->arena);
}

int tree_init(struct tree *t)
{
	int ret;

	*t = (struct tree){ .next_id = NODE_ID_FIRST };
	ret = arena_init(&t->arena);
	if (ret == 0)
		ret = tables_init(t);
	if (ret < 0)
		tree_fini(t);
	return ret;
}

int tree_open(struct tree *t, const char *dir, bool fresh, const uint64_t *next_seq)
{
	int ret;

	arena_fini(&t->arena);
	ret = arena_open(&t->arena, dir, fresh, next_seq);
	return ret < 0 ? ret : tree_recover(t);
}

void tree_fini(struct tree *t)
{
	free(t->bucket);
	perms_table_fini(&t->perms);
	arena_fini(&t->arena);
	*t = (struct tree){ .arena.fd = -1 };
}

/* What undoing takes: a kind or the permissions; or flags, numbers and a value inside. */
#define UNDO_GONE	UNDO_ENTRY(offsetof(struct node, name) - offsetof(struct node, perms))
#define UNDO_CHANGED	(UNDO_ENTRY(1) + UNDO_ENTRY(8 + NAME_SAVED_MAX + VALUE_ROOM_MAX))

int tree_reserve(struct tree *t, size_t nr, bool frees)
{
	return arena_reserve(&t->arena, nr * (frees ? UNDO_GONE : UNDO_CHANGED));
}

void tree_commit(struct tree *t)
{
	arena_commit(&t->arena);
}

static bool node_has_path(const struct node *n, const char *path, size_t len)
{
	for (;;) {
		if (len < n->name_len)
			return false;
		len -= n->name_len;
		if (memcmp(path + len, n->name, n->name_len) != 0)
			return false;
		if (!n->parent)
			return len == (n->name_len ? 0 : 1);
		if (len == 0 || path[--len] != '/')
			return false;
		n = node_parent(n);
		if (!n->parent)	/* the root: its whole path was the slash just taken */
			return len == 0;
	}
}

/* The root's own path contributes nothing, so that "/a" is hash("" + "/" + "a"). */
uint32_t tree_hash(const char *path, size_t len)
{
	if (len == 1 && path[0] == '/')
		return TREE_HASH_SEED;
	return hash_bytes(TREE_HASH_SEED, path, len);
}

struct node *tree_find_hashed(const struct tree *t, const char *path, size_t len, uint32_t hash)
{
	struct node *n;

	for (n = tree_bucket(t, bucket_of(t, hash)); n; n = node_chained(n)) {
		if (n->hash == hash && node_has_path(n, path, len))
			return n;
	}
	return NULL;
}

struct node *tree_find(const struct tree *t, const char *path, size_t len)
{
	return tree_find_hashed(t, path, len, tree_hash(path, len));
}

static void perms_enlist(struct node *n)
{
	struct perms *p = node_perms(n);
	struct node *first = perms_first(p);

	n->perms_prev = 0;
	n->perms_next = link_make(n, first);
	if (first)
		first->perms_prev = link_make(first, n);
	p->nodes = link_make(p, n);
}

static void perms_delist(struct node *n)
{
	struct perms *p = node_perms(n);
	struct node *next = node_same_perms(n), *prev = link_get(n, n->perms_prev);

	if (prev)
		prev->perms_next = link_make(prev, next);
	else
		p->nodes = link_make(p, next);
	if (next)
		next->perms_prev = link_make(next, prev);
}

static void bucket_push(const struct tree *t, uint32_t *bucket, struct node *n)
{
	n->hash_next = link_make(n, arena_at(&t->arena, *bucket));
	*bucket = arena_number(&t->arena, n);
}

/* Doubles the table. A failure only makes the chains longer. */
static void tree_grow(struct tree *t)
{
	size_t nr_old = t->nr_buckets;
	uint32_t *old = t->bucket, *bucket = calloc(nr_old * 2, sizeof(*bucket));

	if (!bucket)
		return;
	t->bucket = bucket;
	t->nr_buckets = nr_old * 2;
	for (size_t i = 0; i < nr_old; i++) {
		struct node *next;

		for (struct node *n = arena_at(&t->arena, old[i]); n; n = next) {
			next = node_chained(n);
			bucket_push(t, &bucket[bucket_of(t, n->hash)], n);
		}
	}
	free(old);
}

/* The child that @n goes before: only who got an old id again is not the last one. */
static struct node *kids_place(const struct kids *k, const struct node *n)
{
	struct node *next = link_get(k, k->first);

	if (node_before(next)->id < n->id)
		return NULL;
	while (next->id < n->id)
		next = node_sibling(next);
	return next;
}

/* Adds @n in order of ids. @spare is what @parent gets for its first child. */
static void kids_add(struct tree *t, struct node *parent, struct node *n, struct kids *spare)
{
	struct kids *k = node_kids(parent);
	struct node *first, *next, *behind;

	if (k) {
		arena_free(&t->arena, spare);
	} else {
		k = spare;
		parent->kids = link_make(parent, k);
	}
	first = link_get(k, k->first);
	next = first ? kids_place(k, n) : NULL;
	/* Who is first keeps the last one as its prev. */
	behind = next ? next : first;
	n->next = link_make(n, next);
	n->prev = behind ? link_make(n, node_before(behind)) : 0;
	if (next == first)
		k->first = link_make(k, n);
	else
		node_before(behind)->next = link_make(node_before(behind), n);
	if (behind)
		behind->prev = link_make(behind, n);
	k->nr++;
	k->gen = n->gen;
}

static void kids_remove(struct kids *k, struct node *n, uint64_t gen)
{
	struct node *first = link_get(k, k->first), *next = node_sibling(n);
	struct node *behind = next ? next : first, *before = node_before(n);

	/* Who is first keeps the last one as its prev. */
	behind->prev = link_make(behind, before == behind ? NULL : before);
	if (first == n)
		k->first = link_make(k, next);
	else
		before->next = link_make(before, next);
	k->nr--;
	k->gen = gen;
}

void tree_index(struct tree *t, struct node *n)
{
	struct node *parent = node_parent(n);
	struct kids *spare = node_kids(n);

	if (n->id >= t->next_id)
		t->next_id = n->id + 1;
	n->gen = ++t->gen;
	n->kids = 0;
	if (parent) {
		n->hash = hash_bytes(hash_bytes(parent->hash, "/", 1), n->name, n->name_len);
		kids_add(t, parent, n, spare);
	} else {
		arena_free(&t->arena, spare);
		n->hash = hash_bytes(TREE_HASH_SEED, n->name, n->name_len);
		if (n->name_len == 0)
			t->root = n;
	}
	perms_enlist(n);
	if (t->nr_nodes >= CHAIN_MEAN * t->nr_buckets)
		tree_grow(t);
	bucket_push(t, &t->bucket[bucket_of(t, n->hash)], n);
	t->nr_nodes++;
}

void tree_link(struct tree *t, struct node *parent, struct node *n, uint64_t id)
{
	if (!parent && n->name_len == 0)
		id = NODE_ID_ROOT;
	n->id = id ? id : t->next_id++;
	n->parent = link_make(n, parent);
	if (parent)
		n->flags |= parent->flags & NODE_PERSISTENT;
	n->crc = node_crc(n);
	/* What is persistent comes from the disk at a start, and never counts here. */
	if (!(n->flags & NODE_PERSISTENT)) {
		arena_save(&t->arena, &n->kind, sizeof(n->kind));
		/* Release: all of it is there before it counts. */
		__atomic_store_n(&n->kind, CELL_NODE, __ATOMIC_RELEASE);
	}
	tree_index(t, n);
}

static void bucket_remove(struct tree *t, struct node *n)
{
	uint32_t *first = &t->bucket[bucket_of(t, n->hash)];
	struct node *i = arena_at(&t->arena, *first), *next = node_chained(n);

	if (i == n) {
		*first = next ? arena_number(&t->arena, next) : 0;
		return;
	}
	while (node_chained(i) != n)
		i = node_chained(i);
	i->hash_next = link_make(i, next);
}

void tree_unlink(struct tree *t, struct node *n)
{
	struct node *parent = node_parent(n);

	if (node_counts(n))
		arena_save(&t->arena, &n->kind, sizeof(n->kind));
	__atomic_store_n(&n->kind, CELL_FREE, __ATOMIC_RELAXED);
	bucket_remove(t, n);
	t->nr_nodes--;
	perms_delist(n);
	if (parent)
		kids_remove(node_kids(parent), n, ++t->gen);
}

void node_set_perms(struct tree *t, struct node *n, struct perms *perms)
{
	struct perms *old = node_perms(n);

	perms_delist(n);
	if (node_counts(n))
		arena_save(&t->arena, &n->perms,
			   offsetof(struct node, name) - offsetof(struct node, perms));
	n->perms = link_make(n, perms);
	n->crc = node_crc(n);
	perms_enlist(n);
	perms_put(&t->perms, old);
}
