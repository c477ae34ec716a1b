/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define HOLDS ((void *)0xffffff8000000000UL) /* level-4 slot 511: its level-3 entry 0 */
#define WINDOW ((u64 *)0xffffff8040000000UL) /* entry 1: mapped by tables of our own */
#define SLOT 5

static void store_nothing(void *slot)
{
	__asm__ volatile("movq $0, (%0)" ::"r"(slot) : "memory");
}

/* As an entry: whatever this frame is then a table of, it names all of the machine's first page. */
static void store_entry(void *slot)
{
	__asm__ volatile("mov %1, (%0)" ::"r"(slot), "r"((u64)PTE_DATA) : "memory");
}

/*
 * An event that is always pending makes the hypervisor stop wherever it may: unlinking a level-2
 * table is left half done. A store to a level-1 table below it must not give back once more what
 * the rest of that work gives back.
 */
GUEST_TEST(pt_deferred, "a store to a table waits until what was put off is done", 0)
{
	struct callback_register no_events = { .type = CALLBACKTYPE_event, .address = 0 };
	struct vcpu_info *vi = &shared_info->vcpu_info[0];
	u64 *data = page_alloc(), *l1 = page_alloc(), *other = page_alloc(), *l2 = page_alloc();
	u64 l3e;

	l1[SLOT] = pte_make(virt_to_mfn(data), PTE_DATA);
	l2[0] = pte_make(virt_to_mfn(l1), PTE_TABLE);
	l2[1] = pte_make(virt_to_mfn(other), PTE_TABLE);
	need(page_readonly(l1));
	need(page_readonly(other));
	need(page_readonly(l2));
	need(tables_make(WINDOW));
	l3e = pte_maddr(HOLDS, 3);
	need(hc_mmu_update(l3e, pte_make(virt_to_mfn(l2), PTE_TABLE)));
	need(hc_callback(CALLBACKOP_register, &no_events));
	vi->evtchn_upcall_pending = 1;
	vi->evtchn_upcall_mask = 0;
	need(hc_mmu_update(l3e, 0));
	vi->evtchn_upcall_mask = 1;
	guard_run(store_nothing, &l1[SLOT]);
	/* we still map it writable */
	check(hc_mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(data), 0) < 0);
	check(!guard_run(store_entry, data).happened);
}
