/* SPDX-License-Identifier: MIT */
/*
 * change.h - the only way to alter the served tree: node, quota count, the queue for the disk,
 * what watches and feeds are to be told are one step (rule C4). Permissions and limits have been
 * checked above.
 *
 * Prepare (may fail): change_room(), removal_gather(). Commit (cannot fail): the rest.
 */
#ifndef XENSTORED_CHANGE_H
#define XENSTORED_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "tree.h"

struct server;

/* What a change of nodes is going to need. */
struct change_need {
	size_t nr_nodes;
	size_t nr_perms;	/* entries in the permission sets that they get or lose, */
	size_t nr_unnamed;	/* and how many of those they get are domain 0's, if that is known */
	size_t nr_gone;		/* of the nodes, those that are removed, */
	size_t nr_perms_gone;	/* their entries, */
	size_t nr_tops;		/* and how many of them had none above them that is removed, too */
	size_t bytes;		/* of paths and values altogether; of a removed subtree its path's */
	size_t longest;		/* of them, those of one node with 3 for a permission; 0: not known */
	size_t index_bytes;	/* of paths and names that only the served tree repeats */
	size_t backwards;	/* nodes made that are in front of the one made before them */
	bool persistent;	/* some of them are, perhaps */
	bool frees;		/* the change only takes away, and may use the reserve */
	bool forced;		/* it is not refused for the disk's sake, which gets it later */
};

/*
 * Adds what a node as @s says needs, put @puts times: 1: it is new. Not what it had before, nor its
 * place among others.
 */
void change_need_put(struct change_need *need, const struct node_spec *s, unsigned int puts);

/*
 * Makes sure that a change of nodes has room, in memory and, if it is persistent, on the disk. 0;
 * -ENOSPC; -EROFS, -EIO: the disk takes nothing.
 */
int change_room(struct server *srv, const struct change_need *need);

/* The nodes of a subtree that is to go, parents first. */
struct removal {
	struct buf bytes;	/* each: struct removed_node, path */
	struct buf at;		/* size_t: where each begins */
	size_t nr_perms, path_bytes, top_len;
	bool persistent;	/* the disk has them, or may have them from before (lasting.h) */
};

/* Gathers the subtree at the path. 0 or -ENOMEM; removal_fini() in any case. */
int removal_gather(struct server *srv, const char *path, size_t len, struct removal *r);
size_t removal_size(const struct removal *r);
/* How many of them are domain @domid's. */
size_t removal_owned(const struct removal *r, unsigned int domid);
void removal_need(const struct removal *r, struct change_need *need);
/* The path of number @i of them. */
const char *removal_path(const struct removal *r, size_t i, size_t *len);
void removal_fini(struct removal *r);

/* Makes a node; its parent is there. */
void change_create(struct server *srv, const struct node_spec *s, struct node *out);
/* The same for one that the disk has, also in the place of another: no event, it is not queued. */
void change_loaded(struct server *srv, const struct node_spec *s);
/* Replaces value and mark; a value that is the same is only told of. @n follows. */
void change_value(struct server *srv, const char *path, size_t len, struct node *n,
		  const char *value, size_t value_len, uint8_t mark);
/* Replaces the mark (enum xs_kind), which is nobody's event. @n follows. */
void change_mark(struct server *srv, const char *path, size_t len, struct node *n, uint8_t mark);
/* Replaces the permissions; the caller keeps its reference. @n follows. */
void change_perms(struct server *srv, const char *path, size_t len, struct node *n,
		  struct perms *perms);
/* Removes the subtree. Notes events: for its top also at the ancestors, below only exact ones. */
void change_remove(struct server *srv, const struct removal *r);
/* All in one: 0, -ENOMEM, or what change_room() says. */
int change_remove_at(struct server *srv, const char *path, size_t len);
/*
 * The same for what nobody may have any more: not refused for the disk's sake, and in parts if
 * there is no room for all of it at once.
 */
int change_forget_at(struct server *srv, const char *path, size_t len);

/* Notes the event of a created or rewritten node. */
void change_note(struct server *srv, const char *path, size_t len, struct perms *before,
		 struct perms *after);

/* Whether a path is in the persistent part of the store. */
bool change_is_persistent(const char *path, size_t len);
/*
 * What the request under way asks of @path is so since revision @rev: the disk may still be to have
 * it.
 */
void change_is_there(struct server *srv, const char *path, size_t len, uint64_t rev);

#endif
