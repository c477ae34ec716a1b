/* SPDX-License-Identifier: MIT */
/*
 * queue.h - the live environment's table of changes that the disk is to have, by revision and
 * index: what the disk half reads (change_record.h), and what it has not taken yet.
 */
#ifndef XENSTORED_QUEUE_H
#define XENSTORED_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "change_record.h"

struct store;

/* Adds the change; store_room() has been asked. Returns the bytes it takes. */
size_t queue_add(struct store *l, uint64_t rev, uint32_t index, const struct change *c);
struct queue_taken {
	size_t nr, bytes;	/* changes, and what they took */
	bool left;		/* some are still there */
};

/* Takes at most @max changes of revisions up to @rev out. */
void queue_take(struct store *l, uint64_t rev, unsigned int max, struct queue_taken *out);
/* Calls @each for every change of a revision behind @rev. */
void queue_each(struct store *l, uint64_t rev, void (*each)(void *arg, const struct change *c),
		void *arg);
/* What is in it. */
struct queue_extent {
	uint64_t before;	/* the revision with persistent changes before the first one */
	uint64_t last;		/* the last one's */
	size_t bytes;
};

/* The revision with persistent changes before the first one behind @rev. False: none is behind. */
bool queue_before(struct store *l, uint64_t rev, uint64_t *before);

/* False: nothing is. */
bool queue_extent(struct store *l, struct queue_extent *out);

#endif
