/* SPDX-License-Identifier: MIT */
/*
 * arena.h - the memory of the nodes: cells of few sizes in a file of shared memory that outlives
 * the daemon (or in private memory, when there is no directory to keep it in).
 *
 * It is the only copy of names, values and permissions: a daemon that starts again maps the file
 * and finds them. A cell's kind is what tells it from free memory, so one byte is the difference
 * between there and not there; everything else about allocation (free lists, counts) is made anew
 * at a start. What overwrites bytes that count saves them first: arena_save(). Single-threaded.
 * Links between cells are distances, of 8 bytes, from one to the other: the file may be mapped
 * anywhere. What is in the cells is not known here: tree.h.
 */
#ifndef XENSTORED_ARENA_H
#define XENSTORED_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "undo.h"

/* The largest cell, in bytes: a set of 1,365 permissions fits. */
#define ARENA_CELL_MAX	8184u
#define ARENA_CLASSES	44u

enum cell_kind {
	CELL_FREE,	/* or not part of the tree yet, or not any more */
	CELL_NODE,
	CELL_PERMS,	/* counts as long as a node refers to it */
	CELL_VALUE,	/* the same */
};

/* How every cell begins. The user has the flags, and the note and link while it is allocated. */
struct cell {
	uint8_t kind;
	uint8_t flags;
	uint16_t note;
	int32_t link;
};

struct arena_chunk;

struct arena {
	char *base;			/* of the reserved addresses */
	size_t len;			/* bytes that are there */
	int fd;				/* -1: private memory */
	struct undo *undo;		/* NULL: private memory */
	struct arena_chunk *chunk;	/* what is known of each */
	uint32_t nr_chunks;
	uint32_t room_chunks;		/* how many @chunk has room for */
	uint32_t open[ARENA_CLASSES];	/* chunks with free cells, by class; 0: none */
	uint32_t spare, nr_spare;	/* empty chunks whose memory is kept */
	uint32_t hollow;		/* empty chunks without memory */
	struct cell *limbo;		/* freed by the change under way: kept until it is true */
};

/* Private memory. 0 or -ENOMEM. */
int arena_init(struct arena *a);

/*
 * Memory in the file "nodes" of directory @dir. @fresh: what is there is void. Otherwise the
 * change that was under way is undone if it never came true (@next_seq: see undo_open()), and
 * arena_settle() must follow. 0; -EBADMSG when the file makes no sense; -EIO, -ENOMEM.
 */
int arena_open(struct arena *a, const char *dir, bool fresh, const uint64_t *next_seq);
void arena_fini(struct arena *a);
/* In a child process, where the memory is not mapped: other things may be at its addresses. */
void arena_left(void);

/* A cell of at least @size bytes, cleared; its kind is CELL_FREE. NULL: no memory. */
void *arena_alloc(struct arena *a, size_t size);
/* Bytes of the cell, at least what was asked for. */
size_t arena_size(const struct arena *a, const void *cell);

/* Gives back a cell that never counted, or whose content no start would miss. */
void arena_free(struct arena *a, void *cell);
/* Gives back a cell that counted, once the change under way has come true. */
void arena_free_later(struct arena *a, void *cell);

/* Makes sure that entries of @bytes altogether can be saved. 0 or -ENOSPC. */
int arena_reserve(struct arena *a, size_t bytes);

/* To be called before the @len bytes at @p, which count, are overwritten. */
static inline void arena_save(struct arena *a, const void *p, size_t len)
{
	if (a->undo)
		undo_save(a->undo, p, len);
}

/* Whether the change under way has saved anything. */
static inline bool arena_dirty(const struct arena *a)
{
	return a->undo && undo_dirty(a->undo);
}

/* The change has come true. */
void arena_commit(struct arena *a);

/* --- at a start --- */

/* The cell behind @cell, whatever its kind; NULL: the first one, and at the end. */
struct cell *arena_next(const struct arena *a, const struct cell *cell);
/* Whether @p is where a cell begins. */
bool arena_is_cell(const struct arena *a, const void *p);
/* Frees every cell whose kind is CELL_FREE; all others are taken as allocated. */
void arena_settle(struct arena *a);

/* --- links --- */

static inline void *link_get(const void *from, int32_t link)
{
	return link ? (char *)from + (int64_t)link * 8 : NULL;
}

static inline int32_t link_make(const void *from, const void *to)
{
	return to ? (int32_t)(((const char *)to - (const char *)from) / 8) : 0;
}

/* A cell's number, for tables outside: never 0. */
static inline uint32_t arena_number(const struct arena *a, const void *cell)
{
	return (uint32_t)(((const char *)cell - a->base) / 8);
}

static inline void *arena_at(const struct arena *a, uint32_t number)
{
	return number ? a->base + (size_t)number * 8 : NULL;
}

#endif
