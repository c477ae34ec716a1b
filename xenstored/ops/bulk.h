/* SPDX-License-Identifier: MIT */
/*
 * bulk.h - CONTROL dump and CONTROL feed: a subtree, or every change below some paths, as one
 * stream of replies to one request. Sockets of domain 0 only. Records: xs_bulk.h.
 */
#ifndef XENSTORED_BULK_H
#define XENSTORED_BULK_H

#include <stddef.h>

#include "xs_bulk.h"

struct conn;
struct feeds;
struct node;
struct req;
struct server;

/*
 * Sends the node @path and what is below it down to @depth levels, all of one moment. Returns 0
 * with the end mark left as the reply; -ENOENT, also for what is no path; -EINVAL on a ring; -E2BIG
 * (XS_BULK_NODES_MAX); -EBUSY: its user leaves too much unread (user.h); -ENOMEM.
 */
int bulk_dump(struct req *r, const char *path, unsigned int depth);

/*
 * Subscribes @r's connection to changes at or below @nr paths. 0, -EINVAL, -ENOSPC (user.h),
 * -ENOMEM.
 */
int feed_start(struct req *r, const char *const *paths, unsigned int nr);

/* Calls @fn for every path that @c is subscribed to. */
void feed_each(const struct server *srv, const struct conn *c,
	       void (*fn)(void *arg, const char *path), void *arg);

/* Before a change of @n's value: keeps it for the record. Costs nothing without subscribers. */
void feed_before(struct server *srv, const struct node *n);
/* Notes one change; XS_BULK_PUT takes what feed_before() kept as the previous value. */
void feed_note(struct server *srv, enum xs_bulk_kind kind, unsigned int flags,
	       const char *path, size_t len, const struct node *n);
/* Sends what was noted; the disk may not have it yet. */
void feed_flush(struct server *srv);
/* Ends all subscriptions: what they would have to tell is not known. */
void feed_end_all(struct server *srv);
/* @c goes away. */
void feed_forget(struct server *srv, const struct conn *c);

#endif
