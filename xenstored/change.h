/* SPDX-License-Identifier: MIT */
/*
 * change.h - the only way to alter the served tree: node, quota count, journal record and watch
 * note are one step (rule C4). Permissions and limits have been checked above.
 *
 * Prepare (may fail): change_reserve_nodes() and node_alloc(). Commit (cannot fail): the rest.
 */
#ifndef XENSTORED_CHANGE_H
#define XENSTORED_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct perms;
struct server;
struct value;

/*
 * Makes sure that the journal can take @nr records with @bytes of what is not of fixed size.
 * @frees: the change only deletes, and may use the reserve. Returns 0, or -ENOSPC.
 */
int change_reserve(struct server *srv, size_t nr, size_t bytes, bool frees);

/* What a change of nodes is going to need. */
struct change_need {
	size_t nr_nodes;
	size_t bytes;		/* of names, values and permissions altogether */
	bool persistent;	/* some of them are, perhaps */
	bool frees;		/* the change only takes away, and may use the reserve */
};

/* Makes sure that a change of nodes can be written down, and undone. 0, or -ENOSPC. */
int change_reserve_nodes(struct server *srv, const struct change_need *need);

/* The same for taking out the subtree at @n. */
int change_reserve_removal(struct server *srv, const struct node *n);

/* Links @n, made by node_alloc(), below @parent. */
void change_create(struct server *srv, struct node *parent, struct node *n);

/* Links @n again under the id it had: for undoing what is logged and noted like any change. */
void change_restore(struct server *srv, struct node *parent, struct node *n, uint64_t id);

/* Links a node as the store has it, under its old id: counted, but neither logged nor noted. */
void change_loaded(struct server *srv, struct node *parent, struct node *n, uint64_t id);
/* Counts the nodes that a start has found in memory. */
void change_recovered(struct server *srv);
/* Takes a subtree out of memory, uncounted, while the store keeps it. */
void change_unloaded(struct server *srv, struct node *n);

/* Replaces the value. Returns 0, or -ENOMEM with nothing changed. */
int change_value(struct server *srv, struct node *n, const char *value, size_t len);

/* As change_value(), with what node_prepare_value() has given: cannot fail. */
void change_put_value(struct server *srv, struct node *n, const char *value, size_t len,
		      struct value *apart);

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
