/* SPDX-License-Identifier: MIT */
/*
 * undo.h - what the nodes' memory had before the change that is under way.
 *
 * The nodes are changed in place, in shared memory that outlives the daemon. Before bytes are
 * overwritten they are copied here; the journal's frame number is the commit point. A start
 * finds entries either of a change whose number the journal has given out (true: forgotten) or
 * of one that never came true: the old bytes are put back, last first. No knowledge of nodes.
 */
#ifndef XENSTORED_UNDO_H
#define XENSTORED_UNDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct undo;

/* Most bytes that one entry may have, and what an entry of @len bytes takes. */
#define UNDO_BYTES_MAX	256u
#define UNDO_ENTRY(len)	((((size_t)(len) + 7) & ~(size_t)7) + 8)

/* Makes the file "undo" in directory @dir, with nothing in it. 0 or -EIO. */
int undo_make(const char *dir);

/*
 * Opens the file "undo" in directory @dir for changes of memory at @base. @next_seq is where the
 * journal keeps the number of the next frame; it must outlive the result. NULL with the reason in
 * errno: EBADMSG when the file has been cut.
 */
struct undo *undo_open(const char *dir, char *base, const uint64_t *next_seq);
void undo_close(struct undo *u);
/* See arena_left(). */
void undo_left(void);

/* Makes sure that @bytes of further entries fit. 0 or -ENOSPC. */
int undo_reserve(struct undo *u, size_t bytes);

/* Remembers the @len bytes at @p, which are about to change. Room has been reserved. */
void undo_save(struct undo *u, const void *p, size_t len);

/* Whether anything has been remembered since undo_forget(). */
bool undo_dirty(const struct undo *u);

/* The change has come true. */
void undo_forget(struct undo *u);

/*
 * At a start: puts back what a change that never came true had overwritten within the first
 * @len bytes of memory. 0, or -EBADMSG when the file makes no sense.
 */
int undo_roll_back(struct undo *u, size_t len);

#endif
