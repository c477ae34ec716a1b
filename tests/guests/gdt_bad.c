/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define TSS 0x0000e90000000067UL
#define LDT 0x0000e20000000067UL
#define CALL_GATE_HIGH 0x0000ec0000000000UL
#define INT_GATE 0x0000ee0000000000UL

static long try(u64 descriptor)
{
	u64 *table = page_alloc();
	unsigned long frames[1] = { virt_to_mfn(table) };
	long rc;

	table[3] = descriptor;
	need(page_readonly(table));
	rc = hypercall(set_gdt, frames, 16);
	hypercall(set_gdt, frames, 0);
	need(page_writable(table));
	page_free(table);
	return rc;
}

/* D7: a task or gate descriptor would let the guest into the hypervisor's ring. */
GUEST_TEST(gdt_bad, "tables with system descriptors or gates are refused", ALSO_DOM0)
{
	check(try(TSS) < 0);
	check(try(LDT) < 0);
	check(try(INT_GATE) < 0);
	check(try(CALL_GATE_HIGH | 0x1000) < 0);
	check(try(0) == 0);
}
