/* SPDX-License-Identifier: MIT */
/*
 * change.h - the only way to alter the served tree: node, quota count, journal record and watch
 * note are one step (rule C4). Permissions and limits have been checked above.
 *
 * Prepare (may fail): change_reserve() and node_alloc(). Commit (cannot fail): the rest.
 */
#ifndef XENSTORED_CHANGE_H
#define XENSTORED_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct perms;
struct server;

/*
 * Makes sure that the journal can take changes of @nr_nodes nodes with @bytes of names, values
 * and permissions altogether. @frees: the change only deletes, and may use the reserve.
 * Returns 0, or -ENOSPC.
 */
int change_reserve(struct server *srv, size_t nr_nodes, size_t bytes, bool frees);

/* Links @n, made by node_alloc(), below @parent. */
void change_create(struct server *srv, struct node *parent, struct node *n);

/* Links @n again under the id it had: for undoing what is logged and noted like any change. */
void change_restore(struct server *srv, struct node *parent, struct node *n, uint64_t id);

/* Links a node as the store has it, under its old id: counted, but neither logged nor noted. */
void change_loaded(struct server *srv, struct node *parent, struct node *n, uint64_t id);
/* Takes a subtree out of memory, uncounted, while the store keeps it. */
void change_unloaded(struct server *srv, struct node *n);

/* Replaces the value. Returns 0, or -ENOMEM with nothing changed. */
int change_value(struct server *srv, struct node *n, const char *value, size_t len);

/* As change_value() with a malloc()ed @value that is taken over: cannot fail. */
void change_take_value(struct server *srv, struct node *n, char *value, size_t len);

/* Replaces the permissions, taking over the caller's reference. */
void change_perms(struct server *srv, struct node *n, struct perms *perms);

/* Removes the subtree. Notes events: for @n also at its ancestors, below it only exact ones. */
void change_remove(struct server *srv, struct node *n);

/* Notes the event of a created or rewritten node. */
void change_note(struct server *srv, const struct node *n, struct perms *before);

/* Whether a path is in the persistent part of the store. */
bool change_is_persistent(const char *path, size_t len);

/* Number of nodes in the subtree. */
size_t subtree_size(const struct node *n);

#endif
