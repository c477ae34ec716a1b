/* SPDX-License-Identifier: MIT */
/*
 * named.h - which nodes a domain is named by: the index of permissions, for the day it ends.
 *
 * Domain 0 is in no index. Nodes of one directory share records, so most of them cost a bit; each
 * change of a node's permissions is a change of its own bit alone, whatever its parent or children
 * have. Layout: docs/store-format.md; why: docs/decisions/0046-names-by-directory.md.
 */
#ifndef XENSTORED_NAMED_H
#define XENSTORED_NAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xs_path.h"

struct node;
struct perms;
struct tree;

/* A node that names a domain, and where in the index it is. */
struct named {
	unsigned int domid;
	uint64_t dir;		/* id of its directory; 0: it is in a record of its own */
	uint64_t id;
	struct xs_path path;
};

/*
 * The first node that names @domid; the one behind @at, whatever was changed since: only what came
 * in between may be left out. Directories come before what is in them, but nodes with records of
 * their own before all others. False: no more.
 */
bool named_first(const struct tree *t, unsigned int domid, struct named *at);
bool named_next(const struct tree *t, struct named *at);
/* The lowest domid from *@domid on that some node names. False: there is none. */
bool named_domid_next(const struct tree *t, unsigned int *domid);
/* Whether the index has node @n, with that path, for @domid. */
bool named_has(const struct tree *t, unsigned int domid, const struct node *n, const char *path, size_t len);

/*
 * For each domain but 0 that @perms name: node @n with that path is put in, or taken out (twice is
 * good). Each is one record put, or deleted, for which store_room() has said that there is room.
 * In a family (tree.h) that may come later, with what is in the same row.
 */
void named_put(struct tree *t, struct perms *perms, const struct node *n, const char *path, size_t len);
void named_del(struct tree *t, const struct perms *perms, const struct node *n, const char *path, size_t len);

/* What named_put() has put off for a family goes in; its directory is still what it was. */
void named_settle(struct tree *t);

/*
 * At a start, before anything is changed: makes the index anew if the store says that it is to be
 * (store.h: STORE_UNNAMED). The sets of permissions are known. 0 or -ENOSPC; what was cut off is
 * begun anew.
 */
int named_resume(struct tree *t);

#endif
