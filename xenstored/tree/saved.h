/* SPDX-License-Identifier: MIT */
/*
 * saved.h - what besides the nodes outlives the daemon: domains, limits, and of rings their watches
 * and open transactions, as records of the live environment. Each function but the last puts or
 * deletes records in the commit under way; a saved_room() of the same request has said that it can.
 */
#ifndef XENSTORED_SAVED_H
#define XENSTORED_SAVED_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct domain;
struct server;
struct watch;

/* Room for all that is saved of one connection and its domain. @frees: as store_room(). */
int saved_room(const struct conn *c, bool frees);
/* Room for @nr small records. 0 or -ENOSPC. */
int saved_room_for(struct server *srv, unsigned int nr, bool frees);

void saved_domain(struct server *srv, const struct domain *d);
void saved_domain_gone(struct server *srv, unsigned int domid);
void saved_quotas(struct server *srv);
/* Of a ring; others are gone with the daemon, and nothing is done. */
void saved_watch(const struct watch *w, bool there);
void saved_txn(const struct conn *c, uint32_t id, bool open);
/* All watches and transactions of the ring. */
void saved_forget(const struct conn *c);

/*
 * At a start: limits, domains with their rings, watches, transactions (doomed, to be answered
 * EAGAIN). 0 or -ENOMEM.
 */
int saved_resume(struct server *srv);

#endif
