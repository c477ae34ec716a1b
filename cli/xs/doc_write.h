/* SPDX-License-Identifier: MIT */
/*
 * doc_write.h - the natural form of a subtree (doc.h) as text: members sorted, numbers as they were
 * written, so that the same store gives the same bytes, and the ones that were read.
 */
#ifndef STOREVISOR_XS_DOC_WRITE_H
#define STOREVISOR_XS_DOC_WRITE_H

#include <stdbool.h>
#include <stdio.h>

struct xs_node;

struct doc_style {
	bool perms;	/* with permissions where they differ from the parent's */
	bool compact;	/* one line; else indented by two */
	bool whole;	/* the document begins at "/", with the names of @at as objects around */
};

/*
 * Writes @root's own subtree, read with XS_TREE_VALUES (and _PERMS), whose first node has the path
 * @at. Children 0, 1, ... of a list become an array: of what an array was read into, or the schema
 * calls a list. No final newline. What goes wrong is seen by ferror(@f).
 */
void doc_write(FILE *f, const struct xs_node *root, const char *at, const struct doc_style *style);

#endif
