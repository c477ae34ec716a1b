/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define CODE64 0x00a0fa000000ffffUL /* present, DPL 3, 64-bit code */
#define DATA 0x00cff2000000ffffUL

static void load_ds(void *selector)
{
	__asm__ volatile("mov %0, %%ds" ::"r"((u32)(u64)selector));
}

GUEST_TEST(gdt, "a guest's own descriptor table is used, and only as far as it reaches", ALSO_DOM0)
{
	u64 *table = page_alloc();
	unsigned long frames[1] = { virt_to_mfn(table) };

	table[5] = DATA;
	need(page_readonly(table));
	check_is(hypercall(set_gdt, frames, 512), 0);
	check(!guard_run(load_ds, (void *)(5UL << 3 | 3)).happened);
	check(guard_run(load_ds, (void *)(6UL << 3 | 3)).happened);
	check_is(hypercall(set_gdt, frames, 7169), -EINVAL);
	check(!guard_run(load_ds, (void *)0).happened);
	check_is(hypercall(set_gdt, frames, 0), 0);
	need(page_writable(table));
	page_free(table);
}
