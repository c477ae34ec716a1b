/* SPDX-License-Identifier: MIT */
#include "claim.h"

static char page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void touch(void *va)
{
	(void)*(volatile u8 *)va;
}

static void store(void *va)
{
	*(volatile u8 *)va = 1;
}

static void jump(void *va)
{
	((void (*)(void))va)();
}

static void expect(void (*fn)(void *), bool user, u64 error)
{
	struct fault f = user ? user_run(fn, page) : guard_run(fn, page);

	check(f.happened);
	check_is(f.vector, TRAP_PF);
	check_is(f.error, error);
	check_is(f.address, page);
}

GUEST_TEST(trap_page_fault,
	   "a page fault tells address, presence, write, fetch and mode", ALSO_DOM0)
{
	u64 mfn = virt_to_mfn(page);

	need(map_page(page, pte_make(mfn, PTE_RO | PTE_NX)));
	expect(store, false, 3);
	expect(jump, false, 0x11);
	expect(store, true, 7);
	need(map_page(page, 0));
	expect(touch, false, 0);
	expect(store, false, 2);
	expect(touch, true, 4);
	need(map_page(page, pte_make(mfn, PTE_DATA)));
	check(!poke_faults(page));
}
