/* SPDX-License-Identifier: MIT */
/*
 * xs_tree_priv.h - what xs_tree.c (asks for each node) and xs_bulk.c (asks once) share.
 */
#ifndef STOREVISOR_XS_TREE_PRIV_H
#define STOREVISOR_XS_TREE_PRIV_H

#include "xs_tree.h"

/* A new last child of @parent (NULL: a root), its name @len bytes. NULL: out of memory. */
struct xs_node *xs_tree_add(struct xs_node *parent, const char *name, size_t len);

/*
 * Reads the subtree by one CONTROL dump. Returns 0 and the tree, in the daemon's order, with the
 * store's revision of that moment; -EOPNOTSUPP when this daemon has no such thing; -errno of the
 * answer.
 */
int xs_tree_dump(struct xs_client *c, const char *path, int depth, unsigned int flags,
		 struct xs_node **out, uint64_t *rev);
/*
 * The same in two steps, so that several are under way: what was begun (0) has to be ended, once,
 * which waits for it and frees it.
 */
struct xs_tree_dump;
int xs_tree_dump_begin(struct xs_client *c, const char *path, int depth, unsigned int flags,
		       struct xs_tree_dump **out);
int xs_tree_dump_end(struct xs_client *c, struct xs_tree_dump *d, struct xs_node **out, uint64_t *rev);

#endif
