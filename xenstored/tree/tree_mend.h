/* SPDX-License-Identifier: MIT */
/* tree_mend.h - the tree after damage: only some of its records are left. */
#ifndef XENSTORED_TREE_MEND_H
#define XENSTORED_TREE_MEND_H

struct tree;

/*
 * Makes a tree again of the nodes that are there: their indexes are written anew; what the old
 * ones name and nobody has is logged as lost; a node that has lost its parent gets an empty one of
 * domain 0's, which is logged, too. Before tree_recount(). 0; -ENOSPC, -ENOMEM.
 */
int tree_mend(struct tree *t);

#endif
