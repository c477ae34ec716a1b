/* SPDX-License-Identifier: MIT */
/*
 * blk_ring.h - the block request engine: takes requests off one ring, has them done, answers them.
 *
 * All requests that are there are begun, and answered as they end. Order: a flush begins when all
 * earlier changes have ended, and later requests do not wait for it; a barrier begins when all
 * earlier requests have ended, and no later one begins before its end.
 * A successor after kill -9 does again, in ring order, what has no answer yet (struct bring_table):
 * the kernel ends the dead process's I/O before it lets go of its locks, the guest keeps the data
 * granted until answered, and what a guest wants in an order it waits for.
 * Memory is fixed at creation: BLK_ARENA_PAGES of buffers; with none left, requests wait. The order
 * is that of one ring: who wants a flush of what another ring of the device wrote waits for that
 * first.
 */
#ifndef BACKENDS_BLK_RING_H
#define BACKENDS_BLK_RING_H

#include <stdint.h>

#include "blk_op.h"
#include "bring.h"

#define BLK_ARENA_PAGES 1024 /* 4 MiB: four of the largest requests, 32 of 128 KiB */
#define BLK_GRANTED_PAGES 128 /* of these, used first: 32 requests of 16 KiB, eight of 64 */

/* A flush of ours: nothing else is out beside it. */
enum blk_sync { BLK_SYNC_NONE, BLK_SYNC_OUT, BLK_SYNC_ENDED };

struct blk_ring {
	struct bring ring;
	struct bring_table *table; /* in the journal */
	struct blk_place place;
	struct blk_io *io;
	struct gcopy lists;
	/* Data of several requests, copied in one call, and who goes on after it, in order: */
	struct gcopy copy;
	struct blk_op *after[BRING_TAKEN];
	unsigned int nr_after;
	struct granted arena;
	struct blk_op op[BRING_TAKEN]; /* by entry of the table */
	unsigned int nr_used;	       /* not free */
	unsigned int nr_waiting;
	uint8_t taken[BRING_TAKEN]; /* not begun, in ring order: a queue of entries */
	unsigned int taken_head, nr_taken;
	char *arena_at; /* where to look for a buffer first */
	bool barrier;		       /* one is being done */
	bool unstarted;		       /* the kernel had no room for all of it */
	enum blk_sync sync;
	int32_t sync_res;
	uint64_t nr_requests, nr_errors; /* statistics */
	unsigned int most_at_once;
};

/*
 * Allocates an engine for @image and @io (both kept), one of @nr (1..4) of its device, which share
 * the memory for buffers out among them. NULL: no memory.
 */
struct blk_ring *blk_ring_create(const struct blk_image *image, struct blk_io *io,
				 xengnttab_handle *gnt, uint32_t domid, unsigned int nr);
/* Nothing may be out. */
void blk_ring_destroy(struct blk_ring *b);

/*
 * Begins on a mapped ring with @wire's layout, as bring_attach() and bring_attach_table(), whose
 * errors it returns. @table stays the caller's until blk_ring_stop().
 */
int blk_ring_attach(struct blk_ring *b, const struct blk_wire *wire, void *page,
		    struct rsp_record *rec, struct bring_table *table, bool resume);

/*
 * Answers what has ended and begins what is there. Returns 0: call again when blk_io_fd() is
 * readable or the frontend notifies; 1: call again soon; -EPROTO: the frontend broke the ring.
 * *@notify: the frontend wants to hear of the answers.
 */
int blk_ring_work(struct blk_ring *b, bool *notify);

/*
 * Waits until everything begun has ended and is answered. The ring may be unmapped then. false:
 * after @ms (-1: no end) in which nothing ended, something is out still.
 */
bool blk_ring_stop(struct blk_ring *b, int ms);

/*
 * Forgets what was taken and not begun: nothing may have begun but a flush of ours. The journal
 * keeps it.
 */
void blk_ring_leave(struct blk_ring *b);
/* Nobody waits for what is out any more: @io will not be asked for anything again. */
void blk_ring_abandon(struct blk_ring *b);

/* Answers what has ended, without a ring to take from. */
void blk_ring_reap(struct blk_ring *b);

/*
 * When nothing is out, nor in the ring (if there is one: @attached), has all that was written
 * flushed, and takes nothing more until that is done. false: something is.
 */
bool blk_ring_sync(struct blk_ring *b, bool attached);
/* Nothing is out, nor in the ring, if there is one. */
bool blk_ring_is_idle(struct blk_ring *b, bool attached);
/* How that ended, once: 0 or -errno; -EINPROGRESS. */
int blk_ring_sync_result(struct blk_ring *b);

#endif
