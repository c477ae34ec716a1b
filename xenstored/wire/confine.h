/* SPDX-License-Identifier: MIT */
/*
 * confine.h - a connection of domain 0 that gave up everything but a few named nodes.
 *
 * A process that serves one guest's device asks for this as the first thing it does (CONTROL
 * "confine"), or gets a connection of which somebody else asked it. From then on the connection
 * reads what it named, writes the nodes it named, and does nothing else; nothing takes that back,
 * and nothing is left of it but the end of the connection. The rule itself is asked by the one
 * gate of permissions (view.c, rule C6); which operations are left is in the table of ops.c.
 */
#ifndef XENSTORED_CONFINE_H
#define XENSTORED_CONFINE_H

#include <stdbool.h>

#include "xs_path.h"

struct confine;
struct conn;

/*
 * The most watches and open transactions of such a connection, and nodes, there or not, of each of
 * those.
 */
#define CONFINE_WATCHES 16
#define CONFINE_TXNS 4
#define CONFINE_TXN_NODES 256
/* Bytes of events that may wait until it reads: with more it is closed. */
#define CONFINE_EVENTS (4u << 20)

/*
 * Confines @c to the @nr @rules, the client's strings: "r/PATH": this node and all below may be
 * read and watched; "w/PATH": exactly this node may be read and written, and made where the node
 * above it is there. Returns 0; -EINVAL for a malformed rule, for a ring (a kernel's connection
 * has many users), for a connection that has asked for anything before; -ENOMEM. On error the
 * connection is as it was.
 */
int confine_conn(struct conn *c, const char *const *rules, unsigned int nr);
void confine_free(struct confine *f);

/* Whether @c may have @need (ACCESS_*) of @path as far as it is confined. */
bool confine_allows(const struct conn *c, const struct xs_path *path, unsigned int need);
/* Whether it may watch @path: a node it may read with all below. -EACCES, -ENOSPC; 0. */
int confine_watch(const struct conn *c, const struct xs_path *path);
/* Whether it may have one more transaction: 0 or -ENOSPC. */
int confine_txn(const struct conn *c);
/* Whether one of its transactions may have touched @nr nodes: 0 or -ENOSPC. */
int confine_txn_nodes(const struct conn *c, unsigned int nr);

#endif
