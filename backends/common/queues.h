/* SPDX-License-Identifier: MIT */
/*
 * queues.h - how many queues a device has, and where its frontend says that they are.
 *
 * A queue is one ring, or one each way, and an event channel. Source: xen/io/blkif.h and netif.h,
 * "Multi-queue".
 */
#ifndef BACKENDS_QUEUES_H
#define BACKENDS_QUEUES_H

#include "backend.h"

/*
 * How many to offer: one for each vcpu the guest can have, as dom0 says it (`vcpus`, absent: 1), at
 * most JOURNAL_QUEUES. Not fewer than a guest has that this process takes over.
 */
unsigned int queues_to_offer(struct backend *be);

/* Writes multi-queue-max-queues into the backend directory. 0/-errno. */
int queues_offer(struct backend *be, xs_transaction_t t, unsigned int max);

/*
 * Reads the frontend's: @out has room for JOURNAL_QUEUES, @keys names the @nr_rings rings of each.
 * Without multi-queue-num-queues, or with 1, the keys are those of old, else in queue-0, queue-1
 * and so on. Returns how many there are; -ERANGE: none, or more than @max; -EINVAL: no number;
 * -ENOENT: a key is missing; -errno.
 */
int queues_read(struct backend *be, const char *const *keys, unsigned int nr_rings, unsigned int max,
		struct backend_queue *out);

#endif
