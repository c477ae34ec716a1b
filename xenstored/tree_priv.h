/* SPDX-License-Identifier: MIT */
/* tree_priv.h - what tree.c, node.c and tree_recover.c share. */
#ifndef XENSTORED_TREE_PRIV_H
#define XENSTORED_TREE_PRIV_H

#include "tree.h"

/* A cell may have more room than was asked for: undoing a change takes at most so many bytes. */
#define VALUE_ROOM_MAX 128u
/* A name as long is saved with the value behind it. */
#define NAME_SAVED_MAX 64u

/* Whether a start would find @n: then what is overwritten in it is saved first. */
static inline bool node_counts(const struct node *n)
{
	return n->kind == CELL_NODE;
}

/* Checksum of all that is durable in @n. */
uint32_t node_crc(const struct node *n);

/*
 * Puts @n, whose durable part is complete, among its parent's children and into the table. Its
 * kids are the spare ones that the parent may need.
 */
void tree_index(struct tree *t, struct node *n);

/* Finds the nodes of an arena that has just been opened. 0; -EBADMSG, -ENOMEM. */
int tree_recover(struct tree *t);

#endif
