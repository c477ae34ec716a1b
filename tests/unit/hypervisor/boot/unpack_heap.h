/* SPDX-License-Identifier: MIT */
/* unpack_heap.h - what boot/unpack.c stands on, on the host: one block of memory, and a guard. */
#ifndef TEST_UNPACK_HEAP_H
#define TEST_UNPACK_HEAP_H

#include <stdbool.h>

/* How often a block was given out and came back since the last reset. */
extern unsigned int unpack_heap_allocs, unpack_heap_frees;

void unpack_heap_reset(void);
/* Nothing was written behind the block, and the libraries' surroundings are closed again. */
bool unpack_heap_is_sound(void);

#endif
