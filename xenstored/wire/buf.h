/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a byte queue that grows: written at the end, taken from the front.
 * Owns its memory; knows nothing of what the bytes are.
 */
#ifndef XENSTORED_BUF_H
#define XENSTORED_BUF_H

#include <stddef.h>

struct buf {
	char *data;
	size_t start;	/* first byte not yet taken */
	size_t end;	/* one past the last byte written */
	size_t cap;
};

/*
 * Makes room for @len more bytes and returns where they go, NULL on -ENOMEM. The caller writes
 * them and calls buf_added(). The pointer is valid until the next call.
 */
char *buf_room(struct buf *b, size_t len);
void buf_added(struct buf *b, size_t len);

/* Appends a copy of @data. Returns 0 or -ENOMEM (nothing appended). */
int buf_append(struct buf *b, const void *data, size_t len);

/* Drops @len bytes from the front; @len is at most buf_len(). Gives big memory back when empty. */
void buf_take(struct buf *b, size_t len);

/* Forgets the content and frees the memory. */
void buf_fini(struct buf *b);

/* What an empty queue points at, so that copying nothing from it is defined. */
extern char buf_nothing[1];

static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

static inline char *buf_front(const struct buf *b)
{
	return b->data ? b->data + b->start : buf_nothing;
}

#endif
