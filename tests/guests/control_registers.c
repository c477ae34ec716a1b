/* SPDX-License-Identifier: MIT */
#include "claim.h"

static u64 value;

static void rd_cr0(void *arg)
{
	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
}

static void rd_cr3(void *arg)
{
	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
}

static void rd_cr4(void *arg)
{
	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
}

static void wr_cr4(void *arg)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(value));
}

static void do_clts(void *arg)
{
	__asm__ volatile("clts");
}

/* C54: what the guest writes never becomes the machine's. */
GUEST_TEST(control_registers,
	   "a guest kernel reads its control registers and changes only its own", ALSO_DOM0)
{
	u64 cr4;

	check(!guard_run(rd_cr0, NULL).happened);
	check((value & 0x80010001) == 0x80010001); /* PG, WP, PE */
	check(!guard_run(rd_cr3, NULL).happened);
	check_is(value >> PAGE_SHIFT, virt_to_mfn(pt_base()));
	check(!guard_run(rd_cr4, NULL).happened);
	check(value & 0x20); /* PAE */
	cr4 = value;
	check(!guard_run(wr_cr4, NULL).happened);
	guard_run(rd_cr4, NULL);
	check_is(value, cr4);
	check(!guard_run(do_clts, NULL).happened);
}
