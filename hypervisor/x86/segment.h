/* SPDX-License-Identifier: MIT */
/* segment.h - data segment selectors and debug registers. */
#ifndef HV_X86_SEGMENT_H
#define HV_X86_SEGMENT_H

#include "lib/types.h"

static inline void segment_save(u16 *ds, u16 *es, u16 *fs, u16 *gs)
{
	__asm__ volatile("mov %%ds, %0" : "=rm"(*ds));
	__asm__ volatile("mov %%es, %0" : "=rm"(*es));
	__asm__ volatile("mov %%fs, %0" : "=rm"(*fs));
	__asm__ volatile("mov %%gs, %0" : "=rm"(*gs));
}

/*
 * Each loads a guest-controlled selector; one that faults becomes the null selector. The exception
 * table row
 * (.ex_table: faulting address, continuation, both 64-bit) is entry/traps.c's.
 */
#define SEGMENT_LOAD(seg)                                                                          \
	static inline void segment_load_##seg(u16 sel)                                             \
	{                                                                                          \
		u32 v = sel;                                                                       \
		__asm__ volatile("1: mov %0, %%" #seg "\n"                                         \
				 "2:\n"                                                            \
				 ".pushsection .fixup, \"ax\"\n"                                   \
				 "3: xor %0, %0\n"                                                 \
				 "   jmp 1b\n"                                                     \
				 ".popsection\n"                                                   \
				 ".pushsection .ex_table, \"a\"\n"                                 \
				 ".quad 1b, 3b\n"                                                  \
				 ".popsection\n"                                                   \
				 : "+r"(v)::"memory");                                             \
	}
SEGMENT_LOAD(ds)
SEGMENT_LOAD(es)
SEGMENT_LOAD(fs)
SEGMENT_LOAD(gs)
#undef SEGMENT_LOAD

/* @nr is a constant 0..3, 6, 7. */
static inline void debugreg_write(int nr, u64 v)
{
	switch (nr) {
	case 0:
		__asm__ volatile("mov %0, %%db0" ::"r"(v));
		break;
	case 1:
		__asm__ volatile("mov %0, %%db1" ::"r"(v));
		break;
	case 2:
		__asm__ volatile("mov %0, %%db2" ::"r"(v));
		break;
	case 3:
		__asm__ volatile("mov %0, %%db3" ::"r"(v));
		break;
	case 6:
		__asm__ volatile("mov %0, %%db6" ::"r"(v));
		break;
	default:
		__asm__ volatile("mov %0, %%db7" ::"r"(v));
		break;
	}
}
static inline u64 debugreg_read_dr6(void)
{
	u64 v;

	__asm__ volatile("mov %%db6, %0" : "=r"(v));
	return v;
}

#endif
