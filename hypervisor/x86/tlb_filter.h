/* SPDX-License-Identifier: MIT */
/* tlb_filter.h - how two times of the TLB clock compare (x86/tlb.c). Pure. */
#ifndef HV_X86_TLB_FILTER_H
#define HV_X86_TLB_FILTER_H

#include "lib/types.h"

/* No CPU's time is ever older than this many flushes. */
#define TLB_ROUND (1u << 30)

/*
 * May a CPU whose last full flush began at @cpu_time hold a translation that was removed before
 * the clock showed @stamp? Both free-running. Stamps may be of any age: a very old one only costs
 * a flush.
 */
static inline bool tlb_time_is_stale(u32 cpu_time, u32 stamp)
{
	return (s32)(cpu_time - stamp) <= 0;
}

#endif
