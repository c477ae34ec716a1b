/* SPDX-License-Identifier: MIT */
/* durable_priv.h - what durable.c, durable_load.c and durable_msg.c share. */
#ifndef XENSTORED_DURABLE_PRIV_H
#define XENSTORED_DURABLE_PRIV_H

#include "durable.h"
#include "worker.h"

/* After what failed on the disk's side, before it is tried again. */
#define DURABLE_RETRY_NS 5000000000ull

/* Changes that leave the queue at a time. */
#define DURABLE_TRIM 256u

struct change;

/*
 * Queues @c as the next one of the revision under way: done now by who acts; or as it was queued
 * before.
 */
void durable_enqueue(struct server *srv, struct change *c);
void durable_enqueue_again(struct server *srv, struct change *c);
/* Acts on a message of the worker with @len bytes of @payload. */
void durable_take(struct server *srv, const struct worker_msg *msg, const char *payload,
		  size_t len);
/* The nodes in one message; there are no more of them. */
void durable_take_nodes(struct server *srv, const char *data, size_t len);
void durable_loaded(struct server *srv, const struct worker_msg *msg);
/* The worker has gone. */
void durable_died(struct server *srv);
/* The disk takes nothing for now: who waits is told @err (negative), the live part stays. */
void durable_refused(struct server *srv, int err);
/* False: it does not read now, or there is none. */
bool durable_say(const struct durable *d, const struct worker_msg *msg);
/* What the first @up_to requests for room were told is in the room there is now: they try again. */
void durable_room_answered(struct server *srv, uint64_t up_to);
/* Once a second: what there is now, if somebody was refused for want of it. */
void durable_room_tick(struct server *srv);
/* The worker has gone: nobody will answer what it was asked. */
void durable_room_void(struct server *srv);
/* Writes down which is the last revision with persistent changes. As store_put(). */
void durable_note_last(struct server *srv);
/* Writes down that the nodes have come in this boot. As store_put(). */
void durable_known(struct server *srv);
/* At a start: waits till nothing is left to settle, something has failed, or the disk is silent. */
void durable_wait_settled(struct server *srv);
/*
 * Asks for what the disk has, and what is to last, but is not there: it was kept while something
 * else was to last. lasting_fetched() is told when it has come. False: the worker does not read
 * now.
 */
bool durable_fetch(struct server *srv);
/*
 * Queues the whole persistent part anew, and of what is queued what does not last now. 0; -ENOSPC;
 * -ENOMEM; -EIO: the disk is another store's.
 */
int durable_reset(struct server *srv);
/*
 * What is queued cannot be applied, because changes before it are missing, and the nodes have not
 * come yet: it is named as lost. 0 or -ENOSPC.
 */
int durable_give_up(struct server *srv);
struct stored_node;
/* Calls @each for the node records in a message or an answer. 0, -EBADMSG, what it says. */
int durable_each_node(const char *data, size_t len,
		      int (*each)(void *arg, const struct stored_node *n), void *arg);
/* All questions under way end in @err. */
void questions_fail(struct server *srv, int err);

#endif
