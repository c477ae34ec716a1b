/* SPDX-License-Identifier: MIT */
/* segment.h (fake) - selectors and debug registers that nothing uses on the host. */
#ifndef TESTS_FAKES_HV_X86_SEGMENT_H
#define TESTS_FAKES_HV_X86_SEGMENT_H

#include "lib/types.h"

extern u64 fake_debugreg[8];

static inline void segment_save(u16 *ds, u16 *es, u16 *fs, u16 *gs)
{
	*ds = 0xd5;
	*es = 0xe5;
	*fs = 0xf5;
	*gs = 0x65;
}
static inline void debugreg_write(int nr, u64 v)
{
	fake_debugreg[nr] = v;
}
static inline u64 debugreg_read_dr6(void)
{
	return fake_debugreg[6];
}

#endif
