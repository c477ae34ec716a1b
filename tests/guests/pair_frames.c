/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define VALUE 0x7a7a7a7a7a7a7a7aUL

enum { DATA, TABLE, SHARED_INFO, NR_FRAMES };

static void rules(void)
{
	u64 *page = page_alloc();

	for (unsigned int k = 0; k < 512; k++)
		page[k] = VALUE;
	pair_word[DATA] = virt_to_mfn(page);
	pair_word[TABLE] = virt_to_mfn(pt_base());
	pair_word[SHARED_INFO] = start_info->shared_info >> PAGE_SHIFT;
	pair_reach(1);
	pair_await(1);
	for (unsigned int k = 0; k < 512; k++)
		check(page[k] == VALUE);
	check_is(mfn_to_pfn(pair_word[DATA]), virt_to_pfn(page));
	check_is(virt_to_mfn(page), pair_word[DATA]);
	check(!poke_faults(page));
}

static void as_entry(u64 mfn)
{
	u64 *page = page_alloc();

	check(hc_update_va(page, pte_make(mfn, PTE_RO), UVMF_INVLPG) < 0);
	check(hc_update_va(page, pte_make(mfn, PTE_DATA), UVMF_INVLPG) < 0);
	check(hypercall(update_va_mapping_otherdomain, page, pte_make(mfn, PTE_RO), UVMF_INVLPG,
			pair_peer) < 0);
	for (unsigned int level = 1; level <= 4; level++)
		check(hc_mmu_update(pte_maddr(page, level) | MMU_NORMAL_PT_UPDATE,
				    pte_make(mfn, PTE_TABLE)) < 0);
	check(!poke_faults(page));
}

/* Its frame as if it were the caller's, or by the other's name. */
static void as_table(u64 mfn)
{
	static const unsigned int kinds[] = { MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
					      MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE,
					      MMUEXT_UNPIN_TABLE,  MMUEXT_NEW_BASEPTR,
					      MMUEXT_CLEAR_PAGE,	  MMUEXT_NEW_USER_BASEPTR };
	struct mmu_update write = { mfn << PAGE_SHIFT | MMU_NORMAL_PT_UPDATE, 0 };
	xen_pfn_t frame = mfn;

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct mmuext_op op = { .cmd = kinds[i], .arg1.mfn = mfn };

		check(hypercall(mmuext_op, &op, 1, 0, DOMID_SELF) < 0);
		check(hypercall(mmuext_op, &op, 1, 0, pair_peer) < 0);
	}
	check(hc_mmuext(MMUEXT_COPY_PAGE, virt_to_mfn(page_alloc()), mfn) < 0);
	check(hypercall(mmu_update, &write, 1, 0, DOMID_SELF) < 0);
	check(hypercall(mmu_update, &write, 1, 0, pair_peer) < 0);
	check(hc_mmu_update(mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1) < 0);
	check(hypercall(set_gdt, &frame, 8) < 0);
	check(hypercall(update_descriptor, mfn << PAGE_SHIFT, 0) < 0);
}

static void as_memory(u64 mfn)
{
	struct vcpu_register_vcpu_info info = { .mfn = mfn };
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
	struct gnttab_copy copy = { .len = 8, .status = GNTST_general_error };
	xen_pfn_t list = mfn;

	set_xen_guest_handle(r.extent_start, &list);
	check(hc_memory(XENMEM_decrease_reservation, &r) <= 0);
	r.domid = pair_peer;
	check(hc_memory(XENMEM_decrease_reservation, &r) <= 0);
	check(hc_vcpu(VCPUOP_register_vcpu_info, 1, &info) < 0);
	copy.source.u.gmfn = mfn;
	copy.source.domid = DOMID_SELF;
	copy.dest.u.gmfn = virt_to_mfn(page_alloc());
	copy.dest.domid = DOMID_SELF;
	need(hc_gnttab(GNTTABOP_copy, &copy, 1));
	check(copy.status < 0);
	copy.source.domid = pair_peer;
	need(hc_gnttab(GNTTABOP_copy, &copy, 1));
	check(copy.status < 0);
}

static void attack(void)
{
	pair_await(1);
	for (unsigned int i = 0; i < NR_FRAMES; i++) {
		as_entry(pair_word[i]);
		as_table(pair_word[i]);
		as_memory(pair_word[i]);
	}
	pair_reach(1);
}

GUEST_TEST(pair_frames, "a frame of another domain is no argument of any call", 0)
{
	pair_run(rules, attack);
}
