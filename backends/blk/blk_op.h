/* SPDX-License-Identifier: MIT */
/*
 * blk_op.h - one block request from its copy in the table to its answer's status.
 *
 * Every field of a request is untrusted and checked before anything is done with it. A request is
 * a short list of steps (struct blk_op), each one operation of blk_io.h; data moves between the
 * guest's granted pages and the request's own buffer by grant copy, before or after its step.
 */
#ifndef BACKENDS_BLK_OP_H
#define BACKENDS_BLK_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blk_image.h"
#include "blk_io.h"
#include "blk_wire.h"
#include "gcopy.h"

/* Largest indirect request: 1 MiB. The frontend may use fewer. */
#define BLK_MAX_SEGMENTS 256
#define BLK_STEPS_MAX 3
#define BLK_NO_COPIES UINT32_MAX

enum blk_op_state {
	BLK_OP_FREE,
	BLK_OP_TAKEN,	/* off the ring, not begun */
	BLK_OP_RUNNING, /* its step is out */
	BLK_OP_WAITING, /* its step is to come after other requests' ends */
};

struct blk_op {
	enum blk_op_state state;
	uint32_t index; /* in the ring, free-running: its place in the order */
	struct blk_req req;
	bool changes; /* writes or discards: a later flush is about it */
	bool barrier;
	enum blk_io_kind step[BLK_STEPS_MAX];
	unsigned int nr_steps, at;
	struct blk_seg seg[BLK_MAX_SEGMENTS];
	char *buf;  /* @len bytes, the caller's */
	size_t len; /* of the data, 0: none */
	size_t moved;
	uint32_t copies; /* where its copies are in the batch they were put in, or BLK_NO_COPIES */
};

/* What requests of one ring are carried out with. */
struct blk_place {
	const struct blk_image *image;
	const struct blk_wire *wire;
	xengnttab_handle *gnt;
	uint32_t domid;
	struct gcopy *lists; /* for lists of segments */
};

/*
 * Takes @raw apart and checks it: fills in all of @op but state, index and buf. Copies an indirect
 * request's list out of the guest. Returns 0, or -errno: what the answer says.
 */
int blk_op_prepare(struct blk_op *op, const struct blk_place *p, const void *raw);

/*
 * Puts the copies of its data into @batch, which has room for req.nr_segs more: a write's to its
 * buffer, a read's to the guest. 0 or -errno.
 */
int blk_op_add_copies(struct blk_op *op, struct gcopy *batch);
/* Once the batch was run: did all of its copies, if any, succeed? 0 or -EFAULT. */
int blk_op_copied(const struct blk_op *op, const struct gcopy *batch);

/* The operation of its present step, what was moved of it already left out. */
struct blk_io_op blk_op_io(const struct blk_op *op, uint32_t tag);

/*
 * Its step ended with @res. Returns 1: it is not finished, its next operation is due; 0: all
 * steps are done; -errno.
 */
int blk_op_advance(struct blk_op *op, int32_t res);

/* BLKIF_RSP_* for the outcome @rc. */
int16_t blk_op_status(int rc);

#endif
