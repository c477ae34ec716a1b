/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define CODE64_RING0 0x00a09a000000ffffUL

/* D7: a ring-0 code segment in a guest's table would be the whole machine. */
GUEST_TEST(gdt_ring, "a descriptor of a lower ring is raised to the guest's", ALSO_DOM0)
{
	u64 *table = page_alloc();
	unsigned long frames[1] = { virt_to_mfn(table) };

	table[4] = CODE64_RING0;
	need(page_readonly(table));
	check_is(hypercall(set_gdt, frames, 16), 0);
	check_is(table[4] >> 45 & 3, 3);
	need(hypercall(set_gdt, frames, 0));
	need(page_writable(table));
	page_free(table);
}
