/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory for many small pieces that go all at once. As obstack(3), whose macros reckon
 * from a null pointer, which is undefined and what clang's sanitizer ends at.
 */
#ifndef STOREVISOR_CLI_ARENA_H
#define STOREVISOR_CLI_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *chunks; /* the newest first */
	char *at;
	size_t left; /* bytes from there on */
};

/* @size bytes for a value of any type. {0} is an arena. Exits when out of memory. */
void *arena_alloc(struct arena *a, size_t size);
/* The same for text. */
char *arena_text(struct arena *a, size_t size);
/* It is empty, and may be used again. */
void arena_free(struct arena *a);

#endif
