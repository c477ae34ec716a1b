/* SPDX-License-Identifier: MIT */
/*
 * xs_tree.h - a whole subtree of the store read in one go: every directory, value and permission
 * list asked for at once, many requests in flight, instead of one round trip each.
 */
#ifndef STOREVISOR_XS_TREE_H
#define STOREVISOR_XS_TREE_H

#include <stddef.h>
#include <stdint.h>

struct xs_client;

enum xs_tree_flags {
	XS_TREE_VALUES = 1,
	XS_TREE_PERMS = 2,
	XS_TREE_KINDS = 8, /* of the values, also where they have to be asked for one by one */
	XS_TREE_SORT = 4, /* children by name; otherwise as the daemon lists them */
};

struct xs_node {
	struct xs_node *parent, *children, *next;
	struct xs_node *last; /* of children */
	char *name;           /* leaf name; of the root: the path asked for */
	char *value;          /* NULL without XS_TREE_VALUES or on value_rc; a NUL follows it */
	size_t value_len;
	unsigned char kind;   /* enum xs_kind; XS_KIND_TEXT when it is not told */
	int value_rc;         /* -errno of reading the value, 0 */
	char *perms;          /* "n0 NUL r5 NUL"; NULL without XS_TREE_PERMS or when refused */
	size_t perms_len;
	unsigned int nr_children;
	int list_rc;          /* -errno of listing the children, 0 */
	uint64_t gen;         /* when the value last became different; 0: not told */
	uint64_t seq;         /* of the root: last change it has, as CONTROL feed counts; 0 */
};

/*
 * Reads @path and what is below it, down to @depth levels (<0: all; 0: the node alone), in
 * transaction @tx. Without one (0) our daemon sends all in one answer, of one moment; of another
 * nodes may be of different moments, and one that vanishes while reading is left out. Waits.
 * Returns 0 and the tree in *@out (xs_tree_free()), or -errno of the root itself or of the
 * connection.
 */
int xs_tree_read(struct xs_client *c, uint32_t tx, const char *path, int depth,
		 unsigned int flags, struct xs_node **out);
/* The same, of one moment from every daemon: where need be in a transaction, tried again. */
int xs_tree_snapshot(struct xs_client *c, const char *path, int depth, unsigned int flags,
		     struct xs_node **out);
void xs_tree_free(struct xs_node *root);

/* Child of @n by name, or NULL. */
struct xs_node *xs_tree_child(const struct xs_node *n, const char *name);
/* Full path of @n into @buf, cut at @size. Returns its length uncut. */
size_t xs_tree_path(const struct xs_node *n, char *buf, size_t size);
/* Next node in depth-first order below @root, or NULL at the end; starts with @n = @root. */
struct xs_node *xs_tree_next(const struct xs_node *root, const struct xs_node *n);

#endif
