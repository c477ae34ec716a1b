/* SPDX-License-Identifier: MIT */
/* segment.h (fake) - selectors and debug registers as variables. */
#ifndef TESTS_FAKES_HV_X86_SEGMENT_H
#define TESTS_FAKES_HV_X86_SEGMENT_H

#include "lib/log.h"
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
		fake_did('s');                                                                     \
	}
SEGMENT_LOAD(ds)
SEGMENT_LOAD(es)
#undef SEGMENT_LOAD
/* The base follows from the selector: of a flat segment, 0. */
static inline void segment_load_fs(u16 sel)
{
	fake_cpu.fs = sel;
	fake_cpu.msr_fs_base = 0;
	fake_did('s');
}
static inline void segment_load_gs(u16 sel)
{
	fake_cpu.gs = sel;
	fake_cpu.msr_gs_base = 0;
	fake_did('s');
}
static inline void debugreg_write(int nr, u64 v)
{
	if (nr == 4 || nr == 5)
		hv_panic("other names of DR6 and DR7");
	fake_cpu.dr[nr] = v;
}
static inline u64 debugreg_read_dr6(void)
{
	return fake_cpu.dr[6];
}

#endif
