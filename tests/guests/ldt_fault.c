/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define DATA 0x00cff2000000ffffUL
#define NOWHERE 0x7fffffff0000UL /* nothing is mapped there */

static void load_es(void *selector)
{
	__asm__ volatile("mov %0, %%es" ::"r"((u32)(u64)selector));
}

static struct fault es_fault(unsigned int entry)
{
	struct fault f = guard_run(load_es, (void *)(u64)(entry << 3 | 7));

	check(f.happened);
	return f;
}

GUEST_TEST(ldt_fault,
	   "a descriptor that cannot be read faults at the guest's own LDT, not at the window",
	   ALSO_DOM0)
{
	u64 *table = page_alloc();
	struct fault f;

	table[2] = DATA;
	need(hc_mmuext(MMUEXT_SET_LDT, (u64)table, 16)); /* writable: not taken as a table */
	f = es_fault(2);
	check_is(f.vector, TRAP_PF);
	check_is(f.address, (u64)&table[2]);
	check_is(f.error, 0); /* as of a page that is not there, read by the kernel */
	need(hc_mmuext(MMUEXT_SET_LDT, NOWHERE, 16)); /* not mapped at all */
	f = es_fault(5);
	check_is(f.vector, TRAP_PF);
	check_is(f.address, NOWHERE + 5 * 8);
	need(hc_mmuext(MMUEXT_SET_LDT, 0, 0));
	page_free(table);
}
