/* SPDX-License-Identifier: MIT */
/*
 * blk_queues.h - the queues of one disk: a ring each, and the operations that are out for it.
 *
 * All go to the same image. The memory for buffers is the device's: each queue has its share.
 */
#ifndef BACKENDS_BLK_QUEUES_H
#define BACKENDS_BLK_QUEUES_H

#include "backend.h"
#include "blk_ring.h"

struct blk_queue {
	struct blk_io *io;
	struct event *done; /* some of io's operations ended; the owner's */
	struct blk_ring *engine;
};

struct blk_queues {
	unsigned int nr; /* that a guest may have */
	struct blk_queue queue[JOURNAL_QUEUES];
};

/* What all of them did. */
struct blk_sum {
	uint64_t requests, errors;
	unsigned int out, most_at_once; /* most: of one ring */
};

/* Makes @nr queues for @image: queue 0's io may be there. 0; -ENOMEM; -errno of what does I/O. */
int blk_queues_make(struct blk_queues *q, unsigned int nr, const struct blk_image *image,
		    struct backend *be);
/* Waits for what is out, and gives all of it back. */
void blk_queues_drop(struct blk_queues *q);

/* After backend_attach(): begins on as many as the guest has. 0, or -EPROTO: on none. */
int blk_queues_attach(struct blk_queues *q, struct backend *be, const struct blk_wire *wire);

/* Nothing is out, nor in a ring of a connected guest's. */
bool blk_queues_are_idle(struct blk_queues *q, const struct backend *be);

/* blk_ring_stop() of all. false: after @ms in which nothing of one of them ended. */
bool blk_queues_stop(struct blk_queues *q, int ms);

struct blk_sum blk_queues_sum(const struct blk_queues *q);

#endif
