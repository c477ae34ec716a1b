/* SPDX-License-Identifier: MIT */
/* tlb_filter.h - which time of the TLB clock a frame's stamp is (x86/tlb.c). Pure. */
#ifndef HV_X86_TLB_FILTER_H
#define HV_X86_TLB_FILTER_H

#include "lib/types.h"

/*
 * The latest time, not after @now, that has the 32 bits @stamp: the time when it was taken if that
 * is less than 2^32 flushes ago, else a later one, which only costs a flush. @now is read after it.
 */
static inline u64 tlb_stamp_time(u32 stamp, u64 now)
{
	return now - (u32)((u32)now - stamp);
}

#endif
