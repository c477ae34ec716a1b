/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - flushes of the one CPU, and the clock that says whether one happened since a frame was
 * last mapped. Lock: none, one CPU (decision 0003).
 */
#include "x86/asm.h"
#include "x86/init.h"
#include "x86/machine.h"

static u32 clock_now = 1; /* counts flushes of every entry a guest can make */

static void tick(void)
{
	clock_now++;
}

void tlb_flush_local(void)
{
	write_cr3(read_cr3());
}

void tlb_flush_local_all(void)
{
	u64 cr4 = read_cr4();

	/* Guests' user pages may be global: changing PGE drops those too. */
	write_cr4(cr4 & ~X86_CR4_PGE);
	write_cr4(cr4);
	tick();
}

void tlb_flush_local_va(unsigned long va)
{
	invlpg(va);
}

u32 tlb_clock(void)
{
	return clock_now;
}

bool tlb_needs_flush(u32 stamp)
{
	return stamp == clock_now;
}
