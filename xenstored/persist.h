/* SPDX-License-Identifier: MIT */
/*
 * persist.h - from records to the state in memory: at start, after a crash, and when the disk
 * refused what memory already has.
 */
#ifndef XENSTORED_PERSIST_H
#define XENSTORED_PERSIST_H

#include "server.h"

/* Takes the two directories for this daemon. 0; -EBUSY: another one has them; -Exxx. */
int persist_lock(struct server *srv);

/*
 * Opens the journal, starts the keeper and puts back what they have: domains (with their rings),
 * nodes, watches, doomed transactions. 0 or -Exxx with the reason logged.
 */
int persist_up(struct server *srv);

/* After the event loop exists: watches fire once, requests that were cut off go on. */
void persist_resume(struct server *srv);

/* Has the snapshot written that a damaged store would be replaced by. */
void persist_good(struct server *srv);

/* Everything applied, keeper ended. */
void persist_down(struct server *srv);

/*
 * The disk refused the persistent changes behind srv->durable_seq: their clients are told @err,
 * and memory goes back to what the disk has.
 */
void persist_failed(struct server *srv, int err);

/* Puts snapshot @name (CONTROL snapshot) in the place of the persistent part. 0 or -Exxx. */
int persist_restore(struct server *srv, const char *name);

#endif
