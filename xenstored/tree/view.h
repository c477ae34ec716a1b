/* SPDX-License-Identifier: MIT */
/*
 * view.h - the nodes as one request sees them: the tree, or a transaction over it.
 *
 * The one gate of permissions (rule C6): every operation on nodes comes through here, the root
 * and the "@" nodes included. Below are tree, txn and change; above are the operations.
 */
#ifndef XENSTORED_VIEW_H
#define XENSTORED_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "perms.h"
#include "tree.h"
#include "xs_path.h"

struct conn;
struct server;
struct tnode;
struct txn;

struct view {
	struct server *srv;
	struct conn *conn;
	struct txn *txn;	/* NULL: the tree itself */
};

/* What a path stands for. Pointers are valid until the next change. */
struct vnode {
	const char *value;
	uint32_t value_len;
	uint8_t mark;		/* enum xs_kind */
	struct perms *perms;
	bool in_tree;		/* the tree has it, and the view shows it: */
	struct node base;
	struct tnode *tn;	/* in the transaction, if any */
};

/*
 * Finds @path and checks that the caller has all of @need (ACCESS_*). @seen (SEEN_*) says what
 * the caller is going to use. Returns 0; -ENOENT; -EACCES, also for a missing node whose nearest
 * existing ancestor the caller may not read; -ENOSPC, -ENOMEM.
 */
int view_get(struct view *v, const struct xs_path *path, unsigned int need, unsigned int seen,
	     struct vnode *out);

/*
 * The NUL-terminated names of the children of @path, appended to @out, in order of creation.
 * @gen gets a number that differs whenever the set or the value may have changed. Errors as
 * view_get().
 */
int view_children(struct view *v, const struct xs_path *path, struct buf *out, uint64_t *gen);

/*
 * Sets the value, creating the node and missing parents. Returns 0, -EACCES, -ENOSPC (quota, full
 * store), -E2BIG, -ENOMEM.
 */
int view_write(struct view *v, const struct xs_path *path, const char *value, size_t len);

/*
 * Sets the JSON kind (enum xs_kind) of an existing node in a transaction: no event, and no part of
 * what others may conflict with. Returns 0, -ENOENT, -EACCES.
 */
int view_set_mark(struct view *v, const struct xs_path *path, uint8_t mark);

/* Creates the node, empty, and missing parents; an existing one is left as it is. As above. */
int view_mkdir(struct view *v, const struct xs_path *path);

/*
 * Removes the node with all below it. Returns 0, also when only the leaf is missing; -EINVAL for
 * "/"; -ENOENT; -EACCES; -ENOMEM; -ENOSPC.
 */
int view_rm(struct view *v, const struct xs_path *path);

/*
 * Replaces the permissions with @perms (the caller keeps its reference). Returns 0, -ENOENT,
 * -EACCES, -EPERM (only domain 0 gives nodes away), -ENOMEM, -ENOSPC.
 */
int view_set_perms(struct view *v, const struct xs_path *path, struct perms *perms);

/* What @conn may do with a node that has @perms: ACCESS_*. */
unsigned int conn_access(const struct conn *conn, const struct perms *perms);

#endif
