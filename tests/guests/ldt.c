/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define DATA 0x00cff2000000ffffUL

static void load_es(void *selector)
{
	__asm__ volatile("mov %0, %%es" ::"r"((u32)(u64)selector));
}

GUEST_TEST(ldt, "an LDT is used from read-only memory, within its limit (C30)", ALSO_DOM0)
{
	u64 *table = page_alloc();

	table[2] = DATA;
	check_is(hc_mmuext(MMUEXT_SET_LDT, (u64)table, 16), 0);
	check(guard_run(load_es, (void *)(2UL << 3 | 7)).happened); /* writable memory */
	need(page_readonly(table));
	check(!guard_run(load_es, (void *)(2UL << 3 | 7)).happened);
	check(guard_run(load_es, (void *)(20UL << 3 | 7)).happened);
	check(page_writable(table) < 0);
	check(!guard_run(load_es, (void *)0).happened);
	check_is(hc_mmuext(MMUEXT_SET_LDT, 0, 0), 0);
	check_is(page_writable(table), 0);
	check_is(hc_mmuext(MMUEXT_SET_LDT, (u64)table + 8, 16), -EINVAL);
	check_is(hc_mmuext(MMUEXT_SET_LDT, (u64)table, 8193), -EINVAL);
	page_free(table);
}
