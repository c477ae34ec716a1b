/* SPDX-License-Identifier: MIT */
/*
 * tree.c - the nodes in memory. Owns struct node and the hash table by path. Nothing is looked up
 * by walking down: the hash of a path is computed once over its bytes and the candidate is
 * verified by walking up its parents. No lock: single-threaded.
 */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 1024

/* Nodes a bucket before there are more of them: a pointer a node is a megabyte in a large store. */
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

int tree_init(struct tree *t)
{
	*t = (struct tree){ .nr_buckets = FIRST_BUCKETS, .next_id = NODE_ID_FIRST };
	t->bucket = calloc(FIRST_BUCKETS, sizeof(*t->bucket));
	if (!t->bucket)
		return -ENOMEM;
	if (perms_table_init(&t->perms) < 0) {
		free(t->bucket);
		return -ENOMEM;
	}
	return 0;
}

/* Frees the value that is not in the node itself. */
static void value_drop(struct node *n)
{
	if (n->value_len > n->value_room)
		free((char *)node_value(n));
}

static void node_drop(struct node *n)
{
	value_drop(n);
	free(n->kids);
	free(n);
}

void tree_fini(struct tree *t)
{
	for (size_t i = 0; i < t->nr_buckets; i++) {
		while (t->bucket[i]) {
			struct node *n = t->bucket[i];

			t->bucket[i] = n->hash_next;
			node_drop(n);
		}
	}
	free(t->bucket);
	perms_table_fini(&t->perms);
	*t = (struct tree){ 0 };
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
		n = n->parent;
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

	for (n = t->bucket[bucket_of(t, hash)]; n; n = n->hash_next) {
		if (n->hash == hash && node_has_path(n, path, len))
			return n;
	}
	return NULL;
}

struct node *tree_find(const struct tree *t, const char *path, size_t len)
{
	return tree_find_hashed(t, path, len, tree_hash(path, len));
}

/* Longer values are allocated apart, so that a node whose value shrinks keeps little of it. */
#define VALUE_INSIDE_MAX 96u

/* malloc() gives this many bytes and 16 more each step: what is between would be wasted. */
#define NODE_STEP_FIRST 24u
#define NODE_STEP 16u

static size_t node_size(size_t name_len, size_t value_len)
{
	size_t inside = value_len <= VALUE_INSIDE_MAX ? value_len : 0;
	size_t least = offsetof(struct node, name) + name_len +
		       (inside > sizeof(char *) ? inside : sizeof(char *));

	return NODE_STEP_FIRST + (least - NODE_STEP_FIRST + NODE_STEP - 1) / NODE_STEP * NODE_STEP;
}

/* Puts @value, malloc()ed unless it fits, where the old one was. */
static void value_put(struct node *n, char *apart, const char *value, size_t len)
{
	value_drop(n);
	n->value_len = (uint16_t)len;
	if (len > n->value_room)
		memcpy(n->name + n->name_len, &apart, sizeof(apart));
	else if (len)
		memcpy(n->name + n->name_len, value, len);
}

struct node *node_alloc(const char *name, size_t name_len, struct perms *perms,
			const char *value, size_t value_len)
{
	size_t size = node_size(name_len, value_len);
	struct node *n = calloc(1, size);
	char *apart = NULL;

	if (!n)
		return NULL;
	n->name_len = (uint16_t)name_len;
	n->value_room = (uint16_t)(size - offsetof(struct node, name) - name_len);
	n->kids = calloc(1, sizeof(*n->kids));
	if (n->kids && value_len > n->value_room)
		apart = malloc(value_len);
	if (!n->kids || (value_len > n->value_room && !apart)) {
		node_drop(n);
		return NULL;
	}
	if (apart)
		memcpy(apart, value, value_len);
	value_put(n, apart, value, value_len);
	memcpy(n->name, name, name_len);
	n->perms = perms_ref(perms);
	return n;
}

void node_free(struct tree *t, struct node *n)
{
	perms_put(&t->perms, n->perms);
	node_drop(n);
}

static void perms_enlist(struct node *n)
{
	struct perms *p = n->perms;

	n->perms_prev = NULL;
	n->perms_next = p->nodes;
	if (p->nodes)
		p->nodes->perms_prev = n;
	p->nodes = n;
}

static void perms_delist(struct node *n)
{
	if (n->perms_prev)
		n->perms_prev->perms_next = n->perms_next;
	else
		n->perms->nodes = n->perms_next;
	if (n->perms_next)
		n->perms_next->perms_prev = n->perms_prev;
}

/* Doubles the table. A failure only makes the chains longer. */
static void tree_grow(struct tree *t)
{
	struct node **old = t->bucket;
	size_t nr_old = t->nr_buckets;
	struct node **bucket = calloc(nr_old * 2, sizeof(*bucket));

	if (!bucket)
		return;
	t->bucket = bucket;
	t->nr_buckets = nr_old * 2;
	for (size_t i = 0; i < nr_old; i++) {
		struct node *next;

		for (struct node *n = old[i]; n; n = next) {
			size_t b = bucket_of(t, n->hash);

			next = n->hash_next;
			n->hash_next = bucket[b];
			bucket[b] = n;
		}
	}
	free(old);
}

/* Makes @n, with a smaller id, the one before @next. */
static void kids_insert(struct kids *k, struct node *n, struct node *next)
{
	n->next = next;
	n->prev = next->prev;
	next->prev = n;
	if (k->first == next)
		k->first = n;
	else
		n->prev->next = n;
}

/*
 * Adds @n: behind the last child, unless it has been there before and got its old id again.
 * @spare is what @parent gets for its first one.
 */
static void kids_add(struct node *parent, struct node *n, struct kids *spare)
{
	struct kids *k = parent->kids;

	if (k)
		free(spare);
	else
		k = parent->kids = spare;
	n->next = NULL;
	n->prev = n;
	if (k->first && k->first->prev->id > n->id) {
		struct node *next = k->first;

		while (next->id < n->id)
			next = next->next;
		kids_insert(k, n, next);
	} else if (k->first) {
		n->prev = k->first->prev;
		n->prev->next = n;
		k->first->prev = n;
	} else {
		k->first = n;
	}
	k->nr++;
	k->gen = n->gen;
}

static void kids_remove(struct kids *k, struct node *n, uint64_t gen)
{
	struct node *behind = n->next ? n->next : k->first;

	/* Who is first keeps the last one as its prev. */
	behind->prev = n->prev;
	if (k->first == n)
		k->first = n->next;
	else
		n->prev->next = n->next;
	k->nr--;
	k->gen = gen;
}

void tree_link(struct tree *t, struct node *parent, struct node *n, uint64_t id)
{
	struct kids *spare = n->kids;
	size_t b;

	n->kids = NULL;
	if (!parent && n->name_len == 0)
		id = NODE_ID_ROOT;
	n->id = id ? id : t->next_id++;
	if (n->id >= t->next_id)
		t->next_id = n->id + 1;
	n->gen = ++t->gen;
	n->parent = parent;
	if (parent) {
		n->hash = hash_bytes(hash_bytes(parent->hash, "/", 1), n->name, n->name_len);
		n->flags |= parent->flags & NODE_PERSISTENT;
		kids_add(parent, n, spare);
	} else {
		free(spare);
		n->hash = hash_bytes(TREE_HASH_SEED, n->name, n->name_len);
		if (n->name_len == 0)
			t->root = n;
	}
	perms_enlist(n);
	if (t->nr_nodes >= CHAIN_MEAN * t->nr_buckets)
		tree_grow(t);
	b = bucket_of(t, n->hash);
	n->hash_next = t->bucket[b];
	t->bucket[b] = n;
	t->nr_nodes++;
}

void tree_unlink(struct tree *t, struct node *n)
{
	struct node **at = &t->bucket[bucket_of(t, n->hash)];
	struct node *parent = n->parent;

	while (*at != n)
		at = &(*at)->hash_next;
	*at = n->hash_next;
	t->nr_nodes--;
	perms_delist(n);
	if (!parent)
		return;
	kids_remove(parent->kids, n, ++t->gen);
	n->parent = NULL;
}

int node_take_value(struct tree *t, struct node *n, char *value, size_t len)
{
	if (len == n->value_len && memcmp(node_value(n), value, len) == 0) {
		free(value);
		return 0;
	}
	value_put(n, value, value, len);
	if (len <= n->value_room)
		free(value);
	n->gen = ++t->gen;
	return 1;
}

int node_set_value(struct tree *t, struct node *n, const char *value, size_t len)
{
	char *apart = NULL;

	if (len == n->value_len && memcmp(node_value(n), value, len) == 0)
		return 0;
	if (len > n->value_room) {
		apart = malloc(len);
		if (!apart)
			return -ENOMEM;
		memcpy(apart, value, len);
	}
	value_put(n, apart, value, len);
	n->gen = ++t->gen;
	return 1;
}

void node_set_perms(struct tree *t, struct node *n, struct perms *perms)
{
	struct perms *old = n->perms;

	perms_delist(n);
	n->perms = perms;
	perms_enlist(n);
	perms_put(&t->perms, old);
}

size_t node_path(const struct node *n, char out[XS_PATH_BUF])
{
	size_t len = 0, pos;

	for (const struct node *up = n; up->parent; up = up->parent)
		len += up->name_len + 1u;
	if (!n->parent) {
		len = n->name_len ? n->name_len : 1;
		memcpy(out, n->name_len ? n->name : "/", len);
		out[len] = '\0';
		return len;
	}
	pos = len;
	out[len] = '\0';
	for (; n->parent; n = n->parent) {
		pos -= n->name_len;
		memcpy(out + pos, n->name, n->name_len);
		out[--pos] = '/';
	}
	return len;
}

struct node *node_next(const struct node *n, const struct node *top)
{
	if (node_first(n))
		return node_first(n);
	while (n != top) {
		if (n->next)
			return n->next;
		n = n->parent;
	}
	return NULL;
}

struct node *node_deepest(struct node *top)
{
	while (node_first(top))
		top = node_first(top);
	return top;
}

struct node *node_next_up(struct node *n, const struct node *top)
{
	if (n == top)
		return NULL;
	return n->next ? node_deepest(n->next) : n->parent;
}

size_t node_charge(size_t name_len, size_t value_len, unsigned int nr_perms)
{
	return sizeof(struct node) + sizeof(struct kids) + name_len + value_len +
	       nr_perms * sizeof(struct xs_perm);
}
