/* SPDX-License-Identifier: MIT */
/* buf.c - a byte queue that grows. No lock: single-threaded use. */
#include "buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What an empty queue may keep allocated: idle connections must cost nothing. */
#define BUF_KEEP_MAX 4096
#define BUF_MIN 512

char buf_nothing[1];	/* never written */

char *buf_room(struct buf *b, size_t len)
{
	if (b->cap - b->end >= len)
		return b->data + b->end;
	if (b->start > 0) {
		memmove(b->data, b->data + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	if (b->cap - b->end < len) {
		size_t cap = b->cap ? b->cap : BUF_MIN;
		char *data;

		while (cap - b->end < len)
			cap *= 2;
		data = realloc(b->data, cap);
		if (!data)
			return NULL;
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->end;
}

void buf_added(struct buf *b, size_t len)
{
	b->end += len;
}

int buf_append(struct buf *b, const void *data, size_t len)
{
	char *to;

	if (len == 0)
		return 0;
	to = buf_room(b, len);
	if (!to)
		return -ENOMEM;
	memcpy(to, data, len);
	b->end += len;
	return 0;
}

void buf_take(struct buf *b, size_t len)
{
	b->start += len;
	if (b->start < b->end)
		return;
	if (b->cap > BUF_KEEP_MAX)
		buf_fini(b);
	b->start = 0;
	b->end = 0;
}

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}
