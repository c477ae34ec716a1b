/* SPDX-License-Identifier: MIT */
/*
 * blk_log.h - what a server has acknowledged and may still lose: the writes since its last flush.
 *
 * A server that dies may lose what it had not flushed, and starts again without saying so; to the
 * guest it is one disk, which was never away. So the writes are kept until a flush behind them has
 * ended, and who connects anew makes them again, in the order of their ends, before anything else.
 * A ring of bytes in a file on tmpfs beside the journal, which outlives the process and its kill at
 * any instruction; one user at a time, who holds the journal's lock.
 */
#ifndef BACKENDS_BLK_LOG_H
#define BACKENDS_BLK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLK_LOG_BYTES (16u << 20) /* of data and their heads */

struct blk_log_head;

struct blk_log {
	struct blk_log_head *head; /* mapped; NULL: there is no log */
	uint8_t *ring;
};

/*
 * Opens or makes the log @file of the disk @name (at most 1023 bytes); what it has of another disk
 * is dropped. 0 or -errno.
 */
int blk_log_open(struct blk_log *log, const char *file, const char *name);
void blk_log_close(struct blk_log *log);

/* Is there room for a write of @len bytes? */
bool blk_log_has_room(const struct blk_log *log, uint64_t len);
/* Notes that @len bytes of @buf were written at @offset; there is room. */
void blk_log_add(struct blk_log *log, uint64_t offset, const void *buf, uint64_t len);

/* How many bytes are in it. */
uint64_t blk_log_used(const struct blk_log *log);
/* Its present end: what is there is what a flush that begins now is about. */
uint64_t blk_log_mark(const struct blk_log *log);
/* That flush has ended: what was there at @mark goes. */
void blk_log_flushed(struct blk_log *log, uint64_t mark);

/* All goes. */
void blk_log_drop(struct blk_log *log);

/*
 * Calls @redo for each write, the oldest first, with its data in @buf (BLK_LOG_BYTES, the
 * caller's), until it returns non-zero; that, or 0. Nothing is taken out. Who wrote it is not
 * trusted: it had dealt with a guest, and who reads it has all rights. -EBADMSG: it is no log from
 * there on.
 */
int blk_log_each(const struct blk_log *log, void *buf,
		 int (*redo)(void *arg, uint64_t offset, void *buf, uint64_t len), void *arg);

#endif
