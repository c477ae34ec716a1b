/* SPDX-License-Identifier: MIT */
/*
 * tree.h - the nodes: one hash table by path, children in order of creation.
 *
 * They are in memory that outlives the daemon (arena.h): this is the only copy of all but the
 * persistent ones. What a kill interrupts is undone at the next start unless the journal says that
 * it came true. No permissions, quotas or watches here: change.c is the only caller that alters a
 * served tree.
 */
#ifndef XENSTORED_TREE_H
#define XENSTORED_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "perms.h"

/* Below a persistent root: comes from the disk at a start, and is never a CELL_NODE. */
#define NODE_PERSISTENT 1u

/* What only a node needs that has, or had, children. A cell of its own; made anew at a start. */
struct kids {
	uint8_t kind, zero[3];	/* see struct cell: never anything but CELL_FREE */
	int32_t first;		/* in order of creation; first->prev is the last one */
	uint64_t gen;		/* when the set of children last became different */
	uint32_t nr;
};

#define NODE_APART	2u	/* the value is in a cell of its own */

/*
 * A cell of shared memory: a store of many domains is mostly leaves, and what is here, each of
 * them pays for. Links are distances (arena.h): read them with the functions below. What is
 * behind "durable" counts once the kind is CELL_NODE; the rest is made anew at a start.
 */
struct node {
	uint8_t kind;		/* durable */
	uint8_t flags;		/* NODE_*; durable */
	uint16_t heat;		/* lost transactions lately, see lease.c */
	int32_t hash_next;
	int32_t next, prev;	/* siblings; see struct kids */
	int32_t perms_next, perms_prev;	/* members of the same set */
	int32_t kids;		/* not linked yet: what the parent may need, see tree_link() */
	uint32_t hash;		/* of the whole path */
	uint64_t gen;		/* when the value last became different */
	/* durable: */
	uint64_t id;		/* never used twice; children have larger ones */
	int32_t parent;		/* none: "/" and the "@" nodes */
	int32_t perms;		/* one reference */
	uint16_t name_len;
	uint16_t value_len;
	uint32_t crc;		/* of flags, what is above and what is below */
	/* Last component (of an "@" node the whole name); then the value, or a link to it. */
	char name[];
};

_Static_assert(sizeof(struct node) == 64, "struct node: one line of the cache");

/* A value that does not fit into its node. */
struct value {
	uint8_t kind, flags;	/* see struct cell */
	uint16_t len;
	int32_t link;
	char bytes[];
};

struct tree {
	struct arena arena;
	uint32_t *bucket;	/* numbers of nodes; 0: none */
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

/* Makes an empty tree without a root in private memory. Returns 0 or -ENOMEM. */
int tree_init(struct tree *t);

/*
 * Gives the empty tree @t the memory in directory @dir, as arena_open(), with all nodes found
 * there but the persistent ones. 0; -EBADMSG when they make no sense; -EIO, -ENOMEM.
 */
int tree_open(struct tree *t, const char *dir, bool fresh, const uint64_t *next_seq);

/* Makes sure that changes of @nr nodes can be undone. @frees: they only go. 0 or -ENOSPC. */
int tree_reserve(struct tree *t, size_t nr, bool frees);

/* The changes so far have come true. */
void tree_commit(struct tree *t);

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
struct node *node_alloc(struct tree *t, const char *name, size_t name_len, struct perms *perms,
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

/*
 * The two halves of node_set_value(). Prepare: a cell of its own for the value, when @n has no
 * room for one of @len bytes, in *@apart, otherwise NULL; 0 or -ENOMEM. Put: takes @apart over and
 * cannot fail; 1 or 0.
 */
int node_prepare_value(struct tree *t, const struct node *n, const char *value, size_t len,
		       struct value **apart);
int node_put_value(struct tree *t, struct node *n, const char *value, size_t len,
		   struct value *apart);
/* Replaces the permission set, taking over the caller's reference to @perms. */
void node_set_perms(struct tree *t, struct node *n, struct perms *perms);

static inline struct node *node_parent(const struct node *n)
{
	return link_get(n, n->parent);
}

static inline struct perms *node_perms(const struct node *n)
{
	return link_get(n, n->perms);
}

/* The next child of the same parent, or NULL. */
static inline struct node *node_sibling(const struct node *n)
{
	return link_get(n, n->next);
}

/* The child before @n; of the first one the last. An only child is its own: no distance. */
static inline struct node *node_before(const struct node *n)
{
	return (struct node *)((const char *)n + (int64_t)n->prev * 8);
}

/* The next one in the same bucket, or, of nodes not linked yet, of a list of the caller's. */
static inline struct node *node_chained(const struct node *n)
{
	return link_get(n, n->hash_next);
}

static inline void node_chain(struct node *n, const struct node *next)
{
	n->hash_next = link_make(n, next);
}

/* The next one with the same permissions, or NULL. */
static inline struct node *node_same_perms(const struct node *n)
{
	return link_get(n, n->perms_next);
}

static inline struct node *perms_first(const struct perms *p)
{
	return link_get(p, p->nodes);
}

static inline struct node *tree_bucket(const struct tree *t, size_t i)
{
	return arena_at(&t->arena, t->bucket[i]);
}

static inline struct kids *node_kids(const struct node *n)
{
	return link_get(n, n->kids);
}

/* The cell of the value, when it is not behind the name. */
static inline struct value *node_apart(const struct node *n)
{
	int32_t link;

	if (!(n->flags & NODE_APART))
		return NULL;
	memcpy(&link, n->name + n->name_len, sizeof(link));
	return link_get(n, link);
}

static inline const char *node_value(const struct node *n)
{
	const struct value *apart = node_apart(n);

	return apart ? apart->bytes : n->name + n->name_len;
}

static inline struct node *node_first(const struct node *n)
{
	const struct kids *k = node_kids(n);

	return k ? link_get(k, k->first) : NULL;
}

static inline uint32_t node_nr_children(const struct node *n)
{
	return n->kids ? node_kids(n)->nr : 0;
}

/* 0 before the first child came. */
static inline uint64_t node_children_gen(const struct node *n)
{
	return n->kids ? node_kids(n)->gen : 0;
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

/* Whether the checksum of what is durable in @n is right. */
bool node_is_intact(const struct node *n);

/* Bytes of memory a node with these lengths is charged for. */
size_t node_charge(size_t name_len, size_t value_len, unsigned int nr_perms);

#endif
