/* SPDX-License-Identifier: MIT */
/* segment.h (fake) - selectors and debug registers as variables. */
#ifndef TESTS_FAKES_HV_X86_SEGMENT_H
#define TESTS_FAKES_HV_X86_SEGMENT_H

#include "x86/asm.h"

static inline void segment_save(u16 *ds, u16 *es, u16 *fs, u16 *gs)
{
	*ds = fake_cpu.ds;
	*es = fake_cpu.es;
	*fs = fake_cpu.fs;
	*gs = fake_cpu.gs;
}
#define SEGMENT_LOAD(seg)                                                                          \
	static inline void segment_load_##seg(u16 sel)                                             \
	{                                                                                          \
		fake_cpu.seg = sel;                                                                \
	}
SEGMENT_LOAD(ds)
SEGMENT_LOAD(es)
SEGMENT_LOAD(fs)
#undef SEGMENT_LOAD
/* The base follows from the selector: of a flat segment, 0. */
static inline void segment_load_gs(u16 sel)
{
	fake_cpu.gs = sel;
	fake_cpu.msr_gs_base = 0;
}
static inline void debugreg_write(int nr, u64 v)
{
	fake_cpu.dr[nr] = v;
}
static inline u64 debugreg_read_dr6(void)
{
	return fake_cpu.dr[6];
}

#endif
