/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define TABLES 320 /* of 120 bytes of stack each: more than a CPU has */
#define SLOT ((void *)0x8000000000UL) /* level-4 slot 1, which is empty */

static u64 *table[TABLES];

/* By machine address: the order in which the hypervisor takes a domain apart. */
static void tables_sort(void)
{
	for (unsigned int i = 1; i < TABLES; i++)
		for (unsigned int j = i; j; j--) {
			u64 *t = table[j];

			if (virt_to_mfn(table[j - 1]) <= virt_to_mfn(t))
				break;
			table[j] = table[j - 1];
			table[j - 1] = t;
		}
}

/*
 * Makes @t a level-3 table, is stopped at the first place, and gives up: where the count is to be
 * written is the request itself.
 */
static void leave_half_done(u64 *t)
{
	struct vcpu_info *vi = &shared_info->vcpu_info[0];
	struct mmu_update req = { pte_maddr(SLOT, 4), pte_make(virt_to_mfn(t), PTE_TABLE) };
	long rc;

	vi->evtchn_upcall_pending = 1;
	vi->evtchn_upcall_mask = 0;
	rc = hypercall(mmu_update, &req, 1, &req, DOMID_SELF);
	vi->evtchn_upcall_mask = 1;
	check(rc < 0);
}

/*
 * An event that is always pending makes the hypervisor stop wherever it may: a level-3 table is
 * left half looked at, and so is the level-2 table that it names. The guest ends the latter itself,
 * and makes a level-3 table of it that is half looked at: and so on. When the domain is taken
 * apart, each would be ended inside the one before, on one stack.
 */
GUEST_TEST(pt_chain, "half-made tables that name each other are ended one by one", 0)
{
	struct callback_register no_events = { .type = CALLBACKTYPE_event, .address = 0 };
	u64 *l1 = page_alloc();

	need(page_readonly(l1));
	for (unsigned int i = 0; i < TABLES; i++)
		table[i] = page_alloc();
	tables_sort();
	for (unsigned int i = 0; i < TABLES; i++) {
		table[i][0] = table[i][1] = pte_make(virt_to_mfn(l1), PTE_TABLE);
		need(page_readonly(table[i]));
	}
	need(hc_callback(CALLBACKOP_register, &no_events));
	for (unsigned int i = 0; i + 1 < TABLES; i++) {
		u64 at = virt_to_mfn(table[i]) << PAGE_SHIFT;

		need(hc_mmuext(MMUEXT_PIN_L2_TABLE, virt_to_mfn(table[i]), 0));
		need(hc_mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(table[i]), 0));
		need(hc_mmu_update(at, pte_make(virt_to_mfn(table[i + 1]), PTE_TABLE)));
		need(hc_mmu_update(at + sizeof(u64), 0));
		leave_half_done(table[i]);
	}
}
