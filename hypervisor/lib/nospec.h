/* SPDX-License-Identifier: MIT */
/*
 * nospec.h - an index that is used only where it was found to be in range, also on a path that the
 * CPU takes by mistake (Spectre v1). Every table that a guest's number goes into is read through
 * it.
 */
#ifndef HV_LIB_NOSPEC_H
#define HV_LIB_NOSPEC_H

#include "lib/types.h"

/* @index where it is below @size, else 0; by arithmetic, which is not predicted. */
static inline size_t index_nospec(size_t index, size_t size)
{
	size_t mask;

	/* Borrow: the index is below. */
	__asm__ volatile("cmp %[size], %[index]; sbb %[mask], %[mask]"
			 : [mask] "=r"(mask)
			 : [index] "r"(index), [size] "rme"(size)
			 : "cc");
	return index & mask;
}

/* Nothing below runs before all conditions above are known. */
static inline void fence_nospec(void)
{
	__asm__ volatile("lfence" ::: "memory");
}

/* Element @index of the array @table; @index is known to be in range. */
#define table_nospec(table, index) (&(table)[index_nospec(index, ARRAY_SIZE(table))])

#endif
