/* SPDX-License-Identifier: MIT */
/*
 * tree.h - the nodes, in the live environment: found by path, children in order of creation.
 *
 * A node is looked at through a struct node, which is valid until the next change of the tree.
 * No permissions, quotas or watches here: change.c is the only caller that alters a served tree.
 * Whoever changes it has asked store_room() before, so nothing here fails.
 */
#ifndef XENSTORED_TREE_H
#define XENSTORED_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perms.h"
#include "xs_path.h"

struct store;

/* Id of "/" in every store; everything else gets ids from NODE_ID_FIRST. */
#define NODE_ID_ROOT	1u
#define NODE_ID_FIRST	16u

/* A node as it is now. Pointers are into the environment. */
struct node {
	uint64_t id;		/* never used twice; children have larger ones */
	uint64_t parent;	/* id; 0: "/" and the "@" nodes */
	uint64_t gen;		/* revision in which the value last became different */
	uint64_t children_gen;	/* the same for the set of children; 0: never had any */
	uint32_t nr_children;
	uint32_t value_len;
	const char *value;
	struct perms *perms;	/* no reference */
	uint8_t mark;		/* enum xs_kind: JSON kind of the value */
};

/*
 * Nodes that are made one after the other in the same directory: it is told of all of them at once,
 * and so is the index of names of those in a row that have the same permissions.
 */
struct family {
	bool on;
	struct perms *perms;	/* NULL: the index knows all of them */
	uint64_t row, bits;
	unsigned int nr;	/* that it does not know of yet */
	uint64_t id;		/* of the directory */
	size_t len;		/* of its path; 0: none yet */
	char path[XS_PATH_BUF];
};

struct tree {
	struct store *store;
	struct perms_table perms;	/* one reference for each node that has the set */
	size_t nr_nodes;
	uint64_t next_id;
	uint64_t rev;		/* the last revision that is complete */
	uint64_t id_bound;	/* what the record says of next_id: at least that */
	uint64_t rev_bound;	/* what another one says of rev: at most that */
	bool changed;		/* revision rev + 1 has begun */
	bool untraced;		/* and no node will have it */
	bool unsaved;		/* the record of the revision has to be as it is */
	struct family family;
};

/* An empty tree in @live. 0 or -ENOMEM. */
int tree_init(struct tree *t, struct store *store);
void tree_fini(struct tree *t);

/*
 * Reads all nodes that are there, once: counts them and their permission sets, and calls @each.
 * 0 or -ENOMEM.
 */
typedef void tree_each(void *arg, const struct node *n, size_t name_len);
int tree_recount(struct tree *t, tree_each *each, void *arg);

/* Only calls @each, for every node in no particular order. */
void tree_each_node(const struct tree *t, tree_each *each, void *arg);

/* The node with canonical path @path (or "@name"). False: there is none. */
bool tree_find(const struct tree *t, const char *path, size_t len, struct node *out);

/* What a node is to be. */
struct node_spec {
	const char *path;
	size_t len;
	const char *value;
	size_t value_len;
	struct perms *perms;
	uint8_t mark;
	uint64_t gen;		/* 0: the revision of now */
};

/*
 * Takes the place of a node that tree_add() is going to make, with a value and permissions of these
 * lengths, before the next commit; until then no node is found there. There is none yet.
 */
void tree_keep_place(struct tree *t, const char *path, size_t len, size_t value_len,
		     unsigned int nr_perms);
/* Makes the node, whose parent is there ("/" and "@" nodes: has none). */
void tree_add(struct tree *t, const struct node_spec *s, struct node *out);
/*
 * From the first to the other, which belongs to the same request, only tree_add() is called and
 * nobody looks at directories that it adds to, nor for who is named: their records lack that.
 * tree_family_known() puts what they lack in between.
 */
void tree_family_begin(struct tree *t);
void tree_family_known(struct tree *t);
void tree_family_end(struct tree *t);
/* Replaces value and mark, or the permissions. @n is what tree_find() gave, and follows. */
void tree_set_value(struct tree *t, const char *path, size_t len, struct node *n,
		    const char *value, size_t value_len, uint8_t mark);
/* Replaces the mark alone: the value is as old as it was. */
void tree_set_mark(struct tree *t, const char *path, size_t len, struct node *n, uint8_t mark);
void tree_set_perms(struct tree *t, const char *path, size_t len, struct node *n,
		    struct perms *perms);
/* The node as it was once, at revision @s->gen: no revision is made. @n is only good for its id. */
void tree_replace(struct tree *t, const struct node_spec *s, struct node *n);
/* Takes the node out; what is below it has gone. @top: its parent stays, and is to know. */
void tree_remove(struct tree *t, const char *path, size_t len, bool top);

/* The revision that changes belong to now. */
static inline uint64_t tree_now(const struct tree *t)
{
	return t->rev + t->changed;
}

/* Begins a revision that is seen of no node. */
void tree_change_untraced(struct tree *t);

/* Revisions go on above @rev, which an earlier boot has given out. */
void tree_continue(struct tree *t, uint64_t rev);

/* Ends the revision, if anything was changed in it. Whether it was. */
bool tree_publish(struct tree *t);

/*
 * Before a commit: sees to it that a restart knows the revision and no id is given twice. A start
 * reads all nodes anyway, and most revisions are the highest that some node has: then there is
 * nothing to be put.
 */
void tree_stage(struct tree *t);
/* At the start of a store in which nodes are lost: theirs may have been the last revision. */
void tree_skip_lost(struct tree *t);

/* When the value or the set of children last became different. */
static inline uint64_t node_latest_gen(const struct node *n)
{
	return n->gen > n->children_gen ? n->gen : n->children_gen;
}

/* --- children --- */

struct child {
	uint64_t parent, id;
	const char *name;
	size_t len;
};

/* The first child of the node with @id, and the next one; no change between. False: no more. */
bool child_first(const struct tree *t, uint64_t id, struct child *c);
bool child_next(const struct tree *t, struct child *c);

/* A way through a subtree, parents first, children in order. No change meanwhile. */
struct walk {
	const struct tree *tree;
	struct node node;	/* where it is */
	size_t top_len, len;
	unsigned int depth;	/* below the top */
	char path[XS_PATH_BUF];
};

/* At the node with the path. False: there is none. */
bool walk_begin(struct walk *w, const struct tree *t, const char *path, size_t len);
/* To the next node not deeper than @max below the top. False: that was all. */
bool walk_next(struct walk *w, unsigned int max);

/* Bytes of memory a node with these lengths is charged for. */
size_t node_charge(size_t name_len, size_t value_len, unsigned int nr_perms);

/* The hash of a path goes byte by byte: those of its ancestors come on the way. "/" is the seed. */
#define PATH_HASH_SEED 0x811c9dc5u

static inline uint32_t path_hash_step(uint32_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * 0x01000193u;
}

uint32_t path_hash(const char *path, size_t len);

#endif
