/* SPDX-License-Identifier: MIT */
/*
 * tree.h - the nodes in memory: one hash table by path, children in order of creation.
 *
 * The daemon is the only writer, so this is always equal to the store's last published state; the
 * journal and LMDB are what it is rebuilt from. No permissions, quotas, watches or durability
 * here: change.c is the only caller that alters a served tree.
 */
#ifndef XENSTORED_TREE_H
#define XENSTORED_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "perms.h"

#define NODE_PERSISTENT 1u	/* below a persistent root: kept in the synced environment */

/* What only a node needs that has, or had, children. */
struct kids {
	struct node *first;	/* in order of creation; first->prev is the last one */
	uint64_t gen;		/* when the set of children last became different */
	uint32_t nr;
};

/* A store of many domains is mostly leaves: what is here, each of them pays for. */
struct node {
	struct node *hash_next;
	struct node *parent;		/* NULL for "/" and for the "@" nodes */
	struct kids *kids;		/* not linked yet: what the parent may need, see tree_link() */
	struct node *next, *prev;	/* siblings; see struct kids */
	struct perms *perms;		/* one reference */
	struct node *perms_next, *perms_prev;	/* members of the same set */
	uint64_t id;			/* never used twice; children have larger ones */
	uint64_t gen;			/* when the value last became different */
	uint32_t hash;			/* of the whole path */
	uint16_t value_len;
	uint16_t value_room;		/* bytes behind the name; at least sizeof(char *) */
	uint16_t name_len;
	uint16_t heat;			/* lost transactions lately, see lease.c */
	uint8_t flags;
	/* Last component (of an "@" node the whole name); then the value, or a pointer to it. */
	char name[];
};

struct tree {
	struct node **bucket;
	size_t nr_buckets;	/* power of two */
	size_t nr_nodes;
	uint64_t next_id;
	uint64_t gen;		/* the last generation given out */
	struct perms_table perms;
	struct node *root;
};

/* Ids of the nodes that exist in every store, so that both environments agree on them. */
#define NODE_ID_ROOT	1u
#define NODE_ID_FIRST	16u	/* everything else gets ids from here */

/* Makes an empty tree without a root. Returns 0 or -ENOMEM. */
int tree_init(struct tree *t);
void tree_fini(struct tree *t);

/* The node with canonical path @path (or "@name"), or NULL. */
struct node *tree_find(const struct tree *t, const char *path, size_t len);

/* As tree_find(), for who knows tree_hash(path, len) already. */
struct node *tree_find_hashed(const struct tree *t, const char *path, size_t len, uint32_t hash);
uint32_t tree_hash(const char *path, size_t len);

/* The hash of a path (not "/") goes byte by byte: those of its ancestors come on the way. */
#define TREE_HASH_SEED 0x811c9dc5u

static inline uint32_t tree_hash_step(uint32_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * 0x01000193u;
}

/*
 * Allocates a node that is not yet in the tree, with all that linking it may need: @name of
 * @name_len bytes, a copy of @value, a new reference to @perms. NULL: no memory.
 */
struct node *node_alloc(const char *name, size_t name_len, struct perms *perms,
			const char *value, size_t value_len);
/* Frees a node that was never linked, or has been unlinked. */
void node_free(struct tree *t, struct node *n);

/*
 * Links @n below @parent (NULL: a root or "@" node), gives it the id @id (0: a new one) and the
 * next generation. Cannot fail.
 */
void tree_link(struct tree *t, struct node *parent, struct node *n, uint64_t id);
/* Takes the childless node @n out of the tree, still allocated. */
void tree_unlink(struct tree *t, struct node *n);

/*
 * Replaces the value. Returns 1 when it became different, 0 when it is the same, -ENOMEM with the
 * old value kept.
 */
int node_set_value(struct tree *t, struct node *n, const char *value, size_t len);
/* As node_set_value() with a malloc()ed @value that is taken over: cannot fail. 1 or 0. */
int node_take_value(struct tree *t, struct node *n, char *value, size_t len);
/* Replaces the permission set, taking over the caller's reference to @perms. */
void node_set_perms(struct tree *t, struct node *n, struct perms *perms);

/* The value is elsewhere when there was no room for it behind the name. */
static inline const char *node_value(const struct node *n)
{
	const char *value = n->name + n->name_len;

	if (n->value_len > n->value_room)
		memcpy(&value, n->name + n->name_len, sizeof(value));
	return value;
}

static inline struct node *node_first(const struct node *n)
{
	return n->kids ? n->kids->first : NULL;
}

static inline uint32_t node_nr_children(const struct node *n)
{
	return n->kids ? n->kids->nr : 0;
}

/* 0 before the first child came. */
static inline uint64_t node_children_gen(const struct node *n)
{
	return n->kids ? n->kids->gen : 0;
}

/* When the value or the set of children last became different. */
static inline uint64_t node_latest_gen(const struct node *n)
{
	uint64_t of_children = node_children_gen(n);

	return n->gen > of_children ? n->gen : of_children;
}

/* Writes the path of @n, NUL-terminated, to @out. Returns its length. */
size_t node_path(const struct node *n, char out[XS_PATH_BUF]);

/*
 * Visits the subtree without recursion: the node after @n when walking @top parents first, NULL
 * at the end.
 */
struct node *node_next(const struct node *n, const struct node *top);
/* Visits children first: start with node_deepest(top), then this until NULL (after @top). */
struct node *node_deepest(struct node *top);
struct node *node_next_up(struct node *n, const struct node *top);

/* Bytes of memory a node with these lengths is charged for. */
size_t node_charge(size_t name_len, size_t value_len, unsigned int nr_perms);

#endif
