/* SPDX-License-Identifier: MIT */
/*
 * txn.h - transactions: an overlay on the tree plus what was observed of it.
 *
 * Nothing is copied at START. Each node is remembered at its first access: what the transaction
 * saw (node id, generation, permission set, children's generation), and only that much is checked
 * at the end. So a transaction conflicts when something it read is different now, and not
 * otherwise: two that create siblings, or that write without reading, do not. A transaction that
 * passes is applied at once, as one revision.
 */
#ifndef XENSTORED_TXN_H
#define XENSTORED_TXN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lease.h"
#include "tree.h"
#include "xs_path.h"

struct conn;
struct removal;
struct server;

enum tnode_state {
	TNODE_SEEN,		/* as in the tree */
	TNODE_WRITTEN,		/* exists in the tree; something of it is changed here */
	TNODE_CREATED,		/* made here; what the tree has there is hidden */
	TNODE_DELETED,		/* hidden, with all below */
};

#define SEEN_EXISTENCE	1u	/* base_id */
#define SEEN_PERMS	2u
#define SEEN_VALUE	4u
#define SEEN_CHILDREN	8u

struct tnode {
	struct tnode *hash_next;
	struct tnode *next;		/* order of first access */
	struct tnode *made_next;	/* order of changes */
	uint32_t hash;
	enum tnode_state state;
	unsigned int seen;		/* SEEN_* */
	bool allowed;			/* the client may know what it saw */
	bool listed;			/* on the list of changes */
	bool fire;			/* gets an event */
	bool value_changed, perms_changed, mark_changed;
	uint8_t mark;			/* enum xs_kind, as first read or last set here */
	uint64_t base_id;		/* 0: was not there */
	uint64_t base_gen, base_children_gen;
	struct perms *base_perms;	/* one reference, or NULL */
	char *value;			/* as first read or last written here */
	uint32_t value_len;
	struct perms *perms;		/* the overlay's, one reference; NULL unless changed */
	char *names;			/* of the tree's children, at the first listing; or NULL */
	size_t names_len;
	uint64_t names_gen;		/* what DIRECTORY_PART says with them */
	struct removal *victims;	/* commit only: what is hidden and goes */
	uint32_t path_len;
	char path[];			/* NUL-terminated */
};

struct txn {
	struct txn *next;		/* of the connection */
	struct lease_list leases;	/* turns that it has: lease.c */
	struct conn *conn;
	uint32_t id;
	bool doomed;			/* something went wrong in it: ends in @doom */
	int doom;			/* -errno then */
	uint64_t start_ns;
	struct tnode **bucket;
	unsigned int nr_buckets;
	unsigned int nr_nodes;
	struct tnode *first, *last;
	struct tnode *made_first, *made_last;
	uint64_t nodes_created;		/* here, for the connection's own domain */
	size_t bytes;			/* charged to the domain */
	uint64_t had;			/* revision of what was asked for here and is so already: durable_had() */
};

/* START. Returns 0, -ENOSPC (quota), -ENOMEM. */
int txn_start(struct server *srv, struct conn *conn, struct txn **out);
/* As it was before a restart: only its end is left, and that is EAGAIN. */
int txn_restore_doomed(struct server *srv, struct conn *conn, uint32_t id);
struct txn *txn_find(struct conn *conn, uint32_t id);
/* From here on its end is the negative errno @err: what it has is not all that was asked for. */
void txn_doom(struct txn *t, int err);
/* Drops the transaction and everything in it. */
void txn_abort(struct server *srv, struct txn *t);

/* What removal of @tn would take along, gathered for a commit. */
void tnode_forget_victims(struct tnode *tn);
/*
 * Validates and applies. The transaction is gone afterwards, whatever the answer but one. Returns
 * 0; -EAGAIN when something it saw has changed; -ENOSPC on quota or a full store; -ENOMEM. Only
 * with -EINPROGRESS it is as it was: the request waits for durable_await_room().
 */
int txn_commit(struct server *srv, struct txn *t);

/* The overlay's entry for @path, or NULL. */
struct tnode *txn_lookup(struct txn *t, const char *path, size_t len);

/*
 * The overlay's entry for @path, made now if there is none: then it remembers what the tree has
 * there, or that it is hidden. Returns 0, -ENOSPC (quota of nodes), -ENOMEM.
 */
int txn_touch(struct server *srv, struct txn *t, const char *path, size_t len, struct tnode **out);

/* Whether an ancestor's entry hides what the tree has at @path. */
bool txn_hides(struct txn *t, const char *path, size_t len);

/* Adds @seen to what must still hold at the end. */
void txn_observe(struct tnode *tn, unsigned int seen);

/* Marks as changed (value or permissions already stored in the entry) and due for an event. */
void txn_changed(struct txn *t, struct tnode *tn);

/* Gives the entry the malloc()ed @value, which is taken over, and charges for it. */
void txn_take_value(struct server *srv, struct txn *t, struct tnode *tn, char *value,
		    uint32_t len);

/*
 * Keeps the @len bytes of @names (each ended by NUL) as what the tree lists below the entry, and
 * charges for it. 0 or -ENOMEM (memory, or the domain's quota of it).
 */
int txn_take_names(struct server *srv, struct txn *t, struct tnode *tn, const char *names,
		   size_t len);

/* Deletes the subtree at @tn in the overlay. */
void txn_delete(struct txn *t, struct tnode *tn);

/* Whether the entry stands for a node that exists, as the transaction sees it. */
bool tnode_exists(const struct tnode *tn);

#endif
