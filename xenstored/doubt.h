/* SPDX-License-Identifier: MIT */
/*
 * doubt.h - transactions in both parts of the store, until the disk has taken them.
 *
 * One that changes persistent and runtime nodes is one journal frame, but the disk may refuse it
 * after it has been applied. The persistent part is then read again; for the runtime part this
 * remembers what was there before. Until the disk has answered, requests for those runtime nodes
 * wait, so that nobody builds on what may be taken back. All other requests go on.
 */
#ifndef XENSTORED_DOUBT_H
#define XENSTORED_DOUBT_H

#include <stdbool.h>
#include <stddef.h>

struct conn;
struct doubt;
struct server;
struct txn;

/*
 * Before @t is applied: remembers what its undoing needs, if it has a foot in both parts.
 * *@out is NULL otherwise. Returns 0, or -ENOMEM.
 */
int doubt_prepare(struct server *srv, struct txn *t, struct doubt **out);
/* Frees what was prepared for a transaction that does not come true; NULL is fine. */
void doubt_drop(struct server *srv, struct doubt *d);
/* The transaction has been applied, and its frame is the next to be published. NULL is fine. */
void doubt_begin(struct server *srv, struct doubt *d);

/*
 * Whether a request of @c for @path has to wait; it is resumed then. @below: what is below the
 * path matters too (its children, or the whole subtree). False without asking when nothing is in
 * doubt, which is almost always.
 */
bool doubt_waits(struct conn *c, const char *path, size_t len, bool below);
/* The same for the end of a transaction. */
bool doubt_waits_end(struct conn *c, struct txn *t);

/* The disk has everything up to srv->durable_seq: who waited goes on. */
void doubts_settled(struct server *srv);

/*
 * The disk refused everything behind srv->durable_seq: the runtime part of it is undone, in the
 * tree, as a part of the change under way. Returns 0; -ENOSPC: that cannot be written down, and the
 * tree is as it was.
 */
int doubts_undo(struct server *srv);

/* Domain @domid has ended: what is put back names it no more. */
void doubts_forget_domain(struct server *srv, unsigned int domid);

#endif
