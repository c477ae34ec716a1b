/* SPDX-License-Identifier: MIT */
/* arena.c - see arena.h. */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "die.h"

#define CHUNK ((size_t)64 << 10)
#define ALIGN _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	_Alignas(max_align_t) char bytes[];
};

static void add_chunk(struct arena *a, size_t size)
{
	size_t room = size > CHUNK ? size : CHUNK;
	struct arena_chunk *c = must(malloc(sizeof(*c) + room));

	c->next = a->chunks;
	a->chunks = c;
	a->at = c->bytes;
	a->left = room;
}

char *arena_text(struct arena *a, size_t size)
{
	char *p;

	if (size > a->left || !a->chunks)
		add_chunk(a, size);
	p = a->at;
	a->at += size;
	a->left -= size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t skip = -(uintptr_t)a->at & (ALIGN - 1);

	if (skip > a->left) /* what is added begins well */
		skip = a->left = 0;
	a->at = skip ? a->at + skip : a->at;
	a->left -= skip;
	if (size > a->left)
		add_chunk(a, size);
	return arena_text(a, size);
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	*a = (struct arena){ 0 };
}
