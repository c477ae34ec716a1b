/* SPDX-License-Identifier: MIT */
/*
 * queue_reader.h - the queue of the live environment, read by the worker as a second process: some
 * whole revisions at a time, copied, so that the daemon's pages are not kept from it while the
 * disk writes. Private to storage/.
 */
#ifndef XENSTORED_QUEUE_READER_H
#define XENSTORED_QUEUE_READER_H

#include <lmdb.h>
#include <stddef.h>
#include <stdint.h>

#include "change_record.h"

struct queue_reader {
	const char *dir;	/* the caller's, as long as it is open */
	MDB_env *env;		/* NULL: the last opening failed */
	MDB_dbi dbi;
};

/* One change, in queue_batch.data. */
struct queued {
	uint64_t rev;
	uint32_t index;
	size_t at, len;
};

struct queue_batch {
	struct queued *e;
	size_t nr, cap;
	char *data;
	size_t len, room;
	uint64_t broken;	/* a revision that is not whole; nothing of it or behind it is here */
};

/* Opens the environment in directory @dir. 0; -ENOENT; -EBADMSG; -ENOMEM; -EIO. */
int queue_reader_open(struct queue_reader *q, const char *dir);
/*
 * The daemon may have exchanged its environment for a smaller one (store_shrink.c): opens what has
 * the name now. Only for as long as that daemon lives: the next one may begin with another queue.
 * As queue_reader_open(); after a failure queue_read() says -EIO until this succeeds.
 */
int queue_reader_follow(struct queue_reader *q);
void queue_reader_close(struct queue_reader *q);

/*
 * The next revisions behind @applied, whole ones, until there are @most changes. 0, with
 * batch->nr 0 when there are none; -EBADMSG, -ENOMEM, -EIO.
 */
int queue_read(struct queue_reader *q, uint64_t applied, size_t most, struct queue_batch *batch);
/* The change number @i. 0 or -EBADMSG. */
int queue_batch_change(const struct queue_batch *batch, size_t i, struct change *out);
void queue_batch_fini(struct queue_batch *batch);

#endif
