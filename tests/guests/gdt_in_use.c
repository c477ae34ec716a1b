/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* D7, I5: what the CPU reads as descriptors must not change under it. */
GUEST_TEST(gdt_in_use, "a frame in use as a descriptor table cannot be mapped writable", ALSO_DOM0)
{
	u64 *table = page_alloc();
	unsigned long frames[1] = { virt_to_mfn(table) };

	check(hypercall(set_gdt, frames, 8) < 0); /* writable: refused */
	need(page_readonly(table));
	check_is(hypercall(set_gdt, frames, 8), 0);
	check(page_writable(table) < 0);
	check(poke_faults(table));
	check_is(hypercall(set_gdt, frames, 0), 0);
	check_is(page_writable(table), 0);
	check(!poke_faults(table));
	page_free(table);
}
