/* SPDX-License-Identifier: MIT */
#include "claim.h"

struct store {
	volatile u64 *slot;
	u64 value;
};

static void store(void *arg)
{
	const struct store *s = arg;

	*s->slot = s->value;
}

/* D6 (3): Linux writes entries like this. The kit's tables are mapped read-only. */
GUEST_TEST(pt_trapped_write,
	   "a plain store to a level-1 table is checked and done; a bad one faults", ALSO_DOM0)
{
	u8 *a = page_alloc(), *b = page_alloc();
	struct store s = { (u64 *)pte_find(a, 1), pte_make(virt_to_mfn(b), PTE_DATA) };

	need(hypercall(vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	b[0] = 2;
	check(!guard_run(store, &s).happened);
	need(hc_mmuext(MMUEXT_INVLPG_LOCAL, (u64)a, 0));
	check_is(*(volatile u8 *)a, 2);
	s.value = pte_make(virt_to_mfn(pt_base()), PTE_DATA); /* a page table, writable */
	check(guard_run(store, &s).happened);
	s.value = pte_make(1, PTE_DATA);
	check(guest_is_dom0() || guard_run(store, &s).happened);
	check_is(*(volatile u8 *)a, 2);
	s.value = pte_make(virt_to_mfn(a), PTE_DATA);
	check(!guard_run(store, &s).happened);
	need(hc_mmuext(MMUEXT_INVLPG_LOCAL, (u64)a, 0));
	page_free(a);
	page_free(b);
}
