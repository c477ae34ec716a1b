/* SPDX-License-Identifier: MIT */
#include "claim.h"

static u64 value;

static void rd(void *arg)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((u32)(u64)arg));
	value = (u64)high << 32 | low;
}

static void wr_lstar(void *arg)
{
	__asm__ volatile("wrmsr" ::"c"(0xc0000082), "a"(0x1000), "d"(0));
}

static void wr_fs_bad(void *arg)
{
	__asm__ volatile("wrmsr" ::"c"(0xc0000100), "a"(0), "d"(0x8000));
}

/* C56. */
GUEST_TEST(msr, "known MSRs are read; unknown ones and bad values fault, none reaches the CPU", 0)
{
	check(!guard_run(rd, (void *)0xc0000080).happened);
	check((value & 0x500) == 0x500); /* EFER: long mode on */
	check(!guard_run(rd, (void *)0xc0000100).happened);
	check(guard_run(rd, (void *)0x12345678).happened);
	check(guard_run(wr_fs_bad, NULL).happened);
	guard_run(wr_lstar, NULL); /* refused or ignored: the next hypercall tells */
	check(hc_version(XENVER_version, NULL) > 0);
}
