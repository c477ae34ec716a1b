/* SPDX-License-Identifier: MIT */
/*
 * conn_ring.h - a domain's ring as a transport: a page shared with the guest, and a channel.
 *
 * The guest may write anything into the page at any time: indices are read once, checked, and
 * only the copies used (rule C1). What has been taken from the ring but not answered, and what
 * has been answered but not delivered, is in the ring's record in the live environment, so that a
 * new daemon goes on in mid-message.
 */
#ifndef XENSTORED_CONN_RING_H
#define XENSTORED_CONN_RING_H

#include <stdint.h>

struct conn;
struct domain;
struct server;

/* Maps the ring of @d and makes its connection. 0, -EINVAL (no page or channel), -ENOMEM. */
int conn_ring_create(struct server *srv, struct domain *d, uint64_t gfn, uint32_t port);
/* At a start, for a ring of before: refuses to serve one that lost what it was in the middle of. */
void conn_ring_resumed(struct conn *c);
/* INTRODUCE again: another channel for the same page. 0 or -EINVAL. */
int conn_ring_rebind(struct conn *c, uint32_t port);
/* RESUME: the guest starts over with an empty ring. */
void conn_ring_reset(struct conn *c);

/* Takes input as far as the output has room; called for events and when a pause ends. */
void conn_ring_serve(struct conn *c);

#endif
