/* SPDX-License-Identifier: MIT */
/*
 * test_ptval.c - page types: each test is one claim of security.md section D, tried on the real mm/
 * and pv/ files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "guest.h"
#include "domain/frame_ref.h"
#include "domain/memory.h"
#include "lib/log.h"
#include "pv/desc.h"
#include "x86/cpu.h"
#include "x86/pagetable.h"
#include "x86/spec_ctrl.h"
#include "x86/tlb.h"

static int fresh(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	return 0;
}

static int audited(void **state)
{
	unsigned int wrong = audit(NULL, NULL);

	machine_free();
	return wrong != 0;
}

static void test_a_tree_of_good_tables_can_be_pinned_and_unpinned(void **state)
{
	struct tree t = tree_new(1);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(frame_type_of(t.l1), FT_L1);
	assert_int_equal(audit(NULL, NULL), 0);

	assert_int_equal(mmuext(MMUEXT_UNPIN_TABLE, t.l4), 0);
	assert_int_equal(frame_type_count(t.l1), 0);
	assert_int_equal(mmuext(MMUEXT_UNPIN_TABLE, t.l4), -EINVAL);
}

static void test_a_page_table_is_never_mapped_writable(void **state)
{
	struct tree t = tree_new(1);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);

	assert_int_equal(update(maddr_of(t.l1, 1), entry_to(t.l1, RW), DOMID_SELF), -EBUSY);
	assert_int_equal(update(maddr_of(t.l1, 1), entry_to(t.l4, RW), DOMID_SELF), -EBUSY);
	assert_int_equal(update(maddr_of(t.l1, 1), entry_to(t.l1, RO), DOMID_SELF), 0);
}

static void test_a_writable_page_never_becomes_a_table(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RW), DOMID_SELF), 0);

	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), -EINVAL);
	assert_int_equal(update(maddr_of(t.l2, 1), entry_to(page, RW), DOMID_SELF), -EINVAL);
	assert_int_equal(update(maddr_of(t.l1, 0), 0, DOMID_SELF), 0);
	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
}

static void test_same_level_entries_are_refused(void **state)
{
	struct tree t = tree_new(1);

	table_of(t.l4)[5] = entry_to(t.l4, RO);
	assert_int_not_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	table_of(t.l4)[5] = 0;
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l4, 5), entry_to(t.l4, RO), DOMID_SELF), -EINVAL);
}

static void test_superpages_and_reserved_bits_are_refused_at_every_level(void **state)
{
	struct tree t = tree_new(1);
	struct frame *tables[] = { t.l2, t.l3, t.l4 };

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	for (int i = 0; i < 3; i++) {
		u64 now = table_of(tables[i])[0];

		assert_int_equal(update(maddr_of(tables[i], 0), now | PTE_PS, DOMID_SELF), -EINVAL);
		assert_int_equal(update(maddr_of(tables[i], 0), now | PTE_PCD, DOMID_SELF), -EINVAL);
		assert_int_equal(update(maddr_of(tables[i], 0), now | 1ULL << 45, DOMID_SELF), -EINVAL);
	}
	assert_int_equal(update(maddr_of(t.l1, 0), 1ULL << 41 | RO, DOMID_SELF), -EINVAL);
}

static void test_a_bad_entry_leaves_nothing_behind(void **state)
{
	struct tree t = tree_new(1);

	table_of(t.l1)[0] = entry_to(frame_new(1), RW);
	table_of(t.l1)[511] = entry_to(frame_new(2), RO); /* not ours */
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), -EPERM);

	assert_int_equal(frame_type_count(t.l4) + frame_type_count(t.l1), 0);
}

static void test_the_hypervisors_slots_are_written_by_nobody_else(void **state)
{
	struct tree t = tree_new(1);

	table_of(t.l4)[HV_L4_FIRST] = 0xdead000 | RW;
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);

	assert_int_equal(table_of(t.l4)[HV_L4_FIRST], hv_l4[HV_L4_FIRST]);
	for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++)
		assert_int_equal(update(maddr_of(t.l4, i), entry_to(t.l3, RW), DOMID_SELF), -EINVAL);
}

static void test_foreign_frames_need_the_right_and_the_right_owner(void **state)
{
	struct tree t = tree_new(1), t0;
	struct frame *other = frame_new(2);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(other, RO), DOMID_SELF), -EPERM);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(other, RO), 2), -EPERM);

	machine_run(0);
	t0 = tree_new(0);
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t0.l4), 0);
	assert_int_equal(update(maddr_of(t0.l1, 0), entry_to(other, RW), 1), -EPERM);
	assert_int_equal(update(maddr_of(t0.l1, 0), entry_to(other, RW), 2), 0);
	assert_int_equal(frame_type_of(other), FT_WR);
}

static void test_device_memory_is_for_the_privileged_and_uncached(void **state)
{
	static const u64 caches[] = { 0, PTE_PWT, PTE_PCD, PTE_PCD | PTE_PWT, PTE_PAT, PTE_PAT | PTE_PWT, PTE_PAT | PTE_PCD,
				      PTE_CACHE };
	u64 device = (u64)(FAKE_FRAMES - 2) << PAGE_SHIFT, hv_own = (u64)(FAKE_FRAMES - 1) << PAGE_SHIFT;
	struct tree t = tree_new(1), t0;

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), device | RW, DOMID_SELF), -EPERM);

	machine_run(0);
	t0 = tree_new(0);
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t0.l4), 0);
	assert_int_equal(update(maddr_of(t0.l1, 0), device | RW, DOMID_SELF), 0);
	assert_true(table_of(t0.l1)[0] & PTE_PCD);
	for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
		const u64 is_kept = caches[i] == PTE_PCD || caches[i] == (PTE_PCD | PTE_PWT) || caches[i] == PTE_PAT;

		assert_int_equal(update(maddr_of(t0.l1, 0), 0, DOMID_SELF), 0);
		assert_int_equal(update(maddr_of(t0.l1, 0), device | RW | caches[i], DOMID_SELF), 0);
		assert_int_equal(table_of(t0.l1)[0] & PTE_CACHE, is_kept ? caches[i] : PTE_PCD | PTE_PWT);
	}
	assert_int_equal(update(maddr_of(t0.l1, 1), hv_own | RW, DOMID_SELF), -EPERM);
}

static void test_dom0_may_read_the_m2p_and_nobody_may_write_it(void **state)
{
	u64 m2p = pte_make(virt_to_mfn(m2p_table), RO), other = pte_make(_mfn(2), RO);
	struct tree t;

	t = tree_new(1);
	assert_int_equal(install(&t), 0);
	assert_int_equal(update(maddr_of(t.l1, 1), m2p, DOMID_XEN), -EPERM);
	machine_run(0);
	t = tree_new(0);
	assert_int_equal(install(&t), 0);

	assert_int_equal(update(maddr_of(t.l1, 1), m2p | PTE_RW, DOMID_XEN), -EPERM);
	assert_int_equal(update(maddr_of(t.l1, 1), other, DOMID_XEN), -EPERM);
	assert_int_equal(update(maddr_of(t.l1, 1), m2p, DOMID_SELF), -EPERM);
	assert_int_equal(update(maddr_of(t.l1, 1), m2p, DOMID_XEN), 0);
	assert_int_equal(update(maddr_of(t.l1, 1), 0, DOMID_SELF), 0);
}

static void test_ram_is_write_back_for_an_unprivileged_guest(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RW | PTE_PCD), DOMID_SELF), -EINVAL);
}

static void test_kernel_pages_are_marked_and_never_global(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, PTE_P | PTE_RW | PTE_G), DOMID_SELF), 0);
	assert_int_equal(table_of(t.l1)[0] & (PTE_US | PTE_GUEST_KERNEL | PTE_G), PTE_US | PTE_GUEST_KERNEL);
	assert_int_equal(update(maddr_of(t.l1, 1), entry_to(page, RW), DOMID_SELF), 0);
	assert_int_equal(table_of(t.l1)[1] & (PTE_US | PTE_GUEST_KERNEL | PTE_G), PTE_US | PTE_G);
}

static void test_turning_a_page_read_only_flushes_before_it_becomes_a_table(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);

	assert_int_equal(install(&t), 0);
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, RW), DOMID_SELF), 0);
	assert_true(guest_touch(3 * PAGE_SIZE, true));
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, RO), DOMID_SELF), 0);
	assert_true(tlb_has(frame_to_mfn(page), true)); /* the guest did not flush */

	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
	assert_false(tlb_has(frame_to_mfn(page), true));
}

static void test_a_fast_update_never_changes_frame_or_rights(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1), *other = frame_new(2);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RO | PTE_A), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RO | PTE_NX), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(other, RO), DOMID_SELF), -EPERM);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RW), DOMID_SELF), 0);
	assert_int_equal(frame_type_of(page), FT_WR);
}

/* L1TF: what a not-present entry names is read from the cache on a wrong path. */
static void test_an_absent_entry_names_no_memory_where_the_cpu_would_read_it(void **state)
{
	u64 *behind, kept;
	struct tree t = tree_new(1), other = tree_new(1);
	u64 secret = entry_to(frame_new(1), RW) & ~PTE_P;
	u64 inverted = ~secret & PTE_ADDR_MASK & ((1ULL << cpu_maxphys_bits) - 1);

	spec_plan.l1tf = true;
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 1), secret, DOMID_SELF), -EINVAL);
	assert_int_equal(update(maddr_of(t.l3, 5), secret, DOMID_SELF), -EINVAL);
	assert_int_equal(table_of(t.l1)[1], 0);
	assert_int_equal(update(maddr_of(t.l1, 1), inverted, DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 1), PTE_AVL_LOW, DOMID_SELF), 0);
	/* nor does a table that is made one */
	table_of(other.l1)[7] = secret;
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, other.l4), -EINVAL);
	table_of(other.l1)[7] = 0;
	table_of(other.l1)[PT_ENTRIES - 1] = secret;
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, other.l4), -EINVAL);
	table_of(other.l1)[PT_ENTRIES - 1] = inverted;
	behind = table_of(other.l1) + PT_ENTRIES; /* whatever page that is */
	kept = *behind;
	*behind = secret;
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, other.l4), 0);
	*behind = kept;
	spec_plan.l1tf = false;
	assert_int_equal(update(maddr_of(t.l1, 1), secret, DOMID_SELF), 0);
}

/*
 * G is reserved above level 1, where some CPUs fault on it: also when nothing else of the entry
 * changes.
 */
static void test_no_update_sets_a_reserved_bit_in_an_upper_entry(void **state)
{
	static const u64 reserved[] = { PTE_G, PTE_PS, 1ULL << 45 };
	struct tree t = tree_new(1);
	struct frame *table[] = { t.l2, t.l3, t.l4 };

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		for (unsigned int b = 0; b < ARRAY_SIZE(reserved); b++) {
			u64 old = table_of(table[i])[0];

			assert_int_equal(update(maddr_of(table[i], 0), old | reserved[b], DOMID_SELF), -EINVAL);
			assert_int_equal(table_of(table[i])[0], old);
		}
}

/* D4: at its maximum the count refuses one more, and nothing is lost. */
static void test_a_type_count_at_its_maximum_refuses(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);
	u32 used;

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RW), DOMID_SELF), 0);
	used = frame_type_count(page);
	page->type += FT_COUNT_MASK - 1 - used; /* as so many entries would */
	assert_int_equal(update(maddr_of(t.l1, 1), entry_to(page, RW), DOMID_SELF), 0);
	assert_int_equal(frame_type_count(page), FT_COUNT_MASK);
	assert_true(update(maddr_of(t.l1, 2), entry_to(page, RW), DOMID_SELF) < 0);
	assert_int_equal(table_of(t.l1)[2], 0);
	assert_int_equal(update(maddr_of(t.l1, 2), entry_to(page, RO), DOMID_SELF), 0);
	assert_int_equal(frame_type_count(page), FT_COUNT_MASK);
	assert_int_equal(update(maddr_of(t.l1, 1), 0, DOMID_SELF), 0);
	page->type -= FT_COUNT_MASK - 1 - used;
	assert_int_equal(frame_type_of(page), FT_WR);
	assert_int_equal(frame_type_count(page), used);
}

static void test_the_grant_marker_cannot_be_forged(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);

	table_of(t.l1)[1] = entry_to(page, RW | PTE_GRANT);
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_false(table_of(t.l1)[1] & PTE_GRANT);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RW | PTE_GRANT), DOMID_SELF), 0);
	assert_false(table_of(t.l1)[0] & PTE_GRANT);
	assert_int_equal(update(maddr_of(t.l1, 0), table_of(t.l1)[0] | PTE_GRANT, DOMID_SELF), 0);
	assert_false(table_of(t.l1)[0] & PTE_GRANT);
}

static void test_a_released_frame_stays_while_it_is_mapped(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);
	u64 free_before;

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page, RW), DOMID_SELF), 0);
	*(u64 *)mfn_to_virt(frame_to_mfn(page)) = 0x5ec7e7;
	free_before = page_alloc_free_frames();

	assert_true(domain_frame_release(page));
	assert_false(domain_frame_release(page));
	assert_int_equal(page_alloc_free_frames(), free_before);
	assert_int_equal(update(maddr_of(t.l1, 0), 0, DOMID_SELF), 0);
	assert_int_equal(page_alloc_free_frames(), free_before + 1);
	assert_int_equal(*(u64 *)mfn_to_virt(frame_to_mfn(page)), 0); /* scrubbed */
}

/* Else the guest could write it after the scrubbing, and the next owner would read that. */
static void test_a_released_frame_can_be_written_by_nobody(void **state)
{
	struct tree t = tree_new(1);
	struct frame *page = frame_new(1);

	assert_int_equal(install(&t), 0);
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, RW), DOMID_SELF), 0);
	assert_true(guest_touch(3 * PAGE_SIZE, true));
	assert_int_equal(update(maddr_of(t.l1, 3), 0, DOMID_SELF), 0);
	assert_true(tlb_has(frame_to_mfn(page), true)); /* the guest did not flush */

	assert_true(domain_frame_release(page));
	assert_false(tlb_has(frame_to_mfn(page), true));
}

/* Else the next owner's frame would count as checked, whatever is in it by then. */
static void test_no_type_outlives_its_owner(void **state)
{
	static const enum frame_type types[] = { FT_WR, FT_SEG, FT_L1 };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct frame *page = frame_new(1), *next;

		assert_int_equal(frame_get_and_type(page, &fake_domain[1], types[i]), 0);
		frame_put_and_type(page);
		assert_int_equal(frame_type_of(page), types[i]); /* kept for the next use */

		assert_true(domain_frame_release(page));
		do {
			next = frame_new(2);
			assert_non_null(next);
		} while (next != page);
		assert_int_equal(page->type, 0);
	}
}

static void test_a_grant_mapping_is_not_replaced_by_itself(void **state)
{
	struct tree t = tree_new(1);
	mfn_t granted = frame_to_mfn(frame_new(2));
	u64 at = 5 * PAGE_SIZE;

	assert_int_equal(install(&t), 0);
	assert_int_equal(pv_grant_map_pte(at, GNTMAP_host_map, granted), 0);
	assert_int_equal(pv_grant_unmap_pte(at, at, GNTMAP_host_map, granted), -EINVAL);
	assert_int_equal(pv_grant_unmap_pte(at, 0, GNTMAP_host_map, granted), 0);
	assert_int_equal(table_of(t.l1)[5], 0);
}

static void share_map_and_take_back(const struct tree *t, bool writable)
{
	void *shared = xen_pages_alloc(0), *again;

	frame_share(shared, current->domain, writable);
	assert_int_equal(update(maddr_of(t->l1, 4), entry_to(virt_to_frame(shared), writable ? RW : RO),
				DOMID_SELF),
			 0);
	assert_true(guest_touch(4 * PAGE_SIZE, writable));
	assert_false(frame_unshare(shared)); /* still mapped */
	assert_int_equal(update(maddr_of(t->l1, 4), 0, DOMID_SELF), 0);
	assert_true(frame_unshare(shared));
	assert_int_equal(frame_refs(virt_to_frame(shared)), 0);
	assert_int_equal(virt_to_frame(shared)->type, 0);
	xen_pages_free(shared, 0);

	do {
		again = xen_pages_alloc(0);
		assert_non_null(again);
	} while (again != shared);
	assert_false(tlb_has(virt_to_mfn(shared), false));
}

static void test_shared_hypervisor_memory_is_flushed_before_it_is_used_again(void **state)
{
	struct tree t = tree_new(1);

	assert_int_equal(install(&t), 0);
	share_map_and_take_back(&t, true);
	share_map_and_take_back(&t, false);
}

/*
 * The guest lets go of it first, and its CPU remembers: nothing is written there any more once it
 * is taken back.
 */
static void test_shared_memory_that_is_taken_back_is_written_by_nobody(void **state)
{
	struct tree t = tree_new(1);
	void *shared = xen_pages_alloc(0);

	assert_int_equal(install(&t), 0);
	frame_share(shared, current->domain, true);
	assert_int_equal(update(maddr_of(t.l1, 4), entry_to(virt_to_frame(shared), RW), DOMID_SELF), 0);
	tlb_flush_local_all(); /* what follows is newer than any flush */
	assert_true(guest_touch(4 * PAGE_SIZE, true));
	assert_int_equal(update(maddr_of(t.l1, 4), 0, DOMID_SELF), 0);
	assert_true(tlb_has(virt_to_mfn(shared), true));
	assert_true(frame_unshare(shared));
	assert_false(tlb_has(virt_to_mfn(shared), true));
	xen_pages_free(shared, 0);
}

static void test_a_dying_owner_gives_out_no_reference(void **state)
{
	struct frame *page = frame_new(2);

	fake_domain[2].is_dying = true;
	assert_false(frame_get(page, &fake_domain[2]));
	assert_int_equal(domain_frames_alloc(&fake_domain[2], 0, 0, &page), -ESRCH);
}

static void test_base_pointers_name_only_validated_l4_tables(void **state)
{
	struct tree t = tree_new(1), u = tree_new(1);

	assert_int_equal(install(&t), 0);
	assert_int_equal(mmuext(MMUEXT_NEW_BASEPTR, t.l3), -EINVAL);
	assert_int_equal(mmuext(MMUEXT_NEW_BASEPTR, u.l4), 0);
	assert_int_equal(frame_type_count(t.l4), 0);
	assert_int_equal(mmuext(MMUEXT_NEW_USER_BASEPTR, u.l4), 0);
	assert_int_equal(mmuext(MMUEXT_NEW_USER_BASEPTR, NULL), 0);
	assert_int_equal(mmuext(MMUEXT_NEW_BASEPTR, frame_new(2)), -EPERM);
}

static void test_a_gdt_page_holds_only_harmless_descriptors(void **state)
{
	struct frame *gdt = frame_new(1);
	u64 mfn = mfn_x(frame_to_mfn(gdt)), *desc = table_of(gdt);

	desc[1] = 0x00209a0000000000ULL; /* code, DPL 0: raised to 3 */
	assert_int_equal(pv_gdt_set(current, &mfn, 512), 0);
	assert_int_equal((desc[1] >> 45) & 3, 3);
	pv_gdt_clear(current);

	gdt->type = 0;
	desc[2] = 0x0000890000000000ULL; /* a TSS */
	assert_int_equal(pv_gdt_set(current, &mfn, 512), -EINVAL);
	desc[2] = 0x0000ec0000000000ULL; /* a call gate */
	assert_int_equal(pv_gdt_set(current, &mfn, 512), -EINVAL);
	desc[2] = 0;
	assert_int_equal(pv_gdt_set(current, &mfn, 512), 0);
	pv_gdt_clear(current);
}

static void test_teardown_returns_every_frame_whatever_state_they_are_in(void **state)
{
	u64 before;
	struct tree t, u;
	int rc;

	before = page_alloc_free_frames();
	t = tree_new(1);
	u = tree_new(1);
	table_of(t.l1)[7] = entry_to(t.l4, RO);
	assert_int_equal(install(&t), 0);
	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, u.l4), 0);
	assert_int_equal(mmuext(MMUEXT_NEW_USER_BASEPTR, u.l4), 0);
	assert_int_equal(update(maddr_of(t.l1, 8), entry_to(frame_new(1), RW), DOMID_SELF), 0);

	machine_run(0);
	fake_domain[1].is_dying = true;
	do {
		rc = pv_domain_relinquish(&fake_domain[1]);
	} while (rc == -ERESTART);
	assert_int_equal(rc, 0);
	assert_int_equal(page_alloc_free_frames(), before);
	assert_int_equal(fake_domain[1].tot_pages, 0);
}

/* What a stopped validation remembers lies in the record where the time of the last use was. */
static void test_a_table_refused_after_a_stop_is_flushed_before_it_is_written(void **state)
{
	struct frame *second = frame_new(1);
	struct tree t = tree_new(1);
	u32 last_use;

	table_of(t.l2)[1] = entry_to(second, RW);
	for (int i = 0; i < 10; i++)
		tlb_flush_local_all(); /* later than any count of entries here */
	assert_int_equal(mmuext(MMUEXT_PIN_L2_TABLE, t.l2), 0);
	assert_int_equal(mmuext(MMUEXT_UNPIN_TABLE, t.l2), 0);
	last_use = t.l2->stamp;
	machine_preempt(1);
	assert_int_equal(frame_get_and_type(t.l2, current->domain, FT_L2), -ERESTART);
	machine_preempt(0);
	assert_int_equal(frame_get_and_type(second, current->domain, FT_WR), 0);

	assert_int_equal(frame_get_and_type(t.l2, current->domain, FT_L2), -EINVAL);
	assert_int_equal(frame_type_count(t.l2), 0);
	assert_true((s32)(t.l2->stamp - last_use) >= 0);
	frame_put_and_type(second);
}

static void test_teardown_lets_others_in_and_passes_by_where_it_has_nothing(void **state)
{
	unsigned int restarts[2] = { 0 };
	struct frame *f[600]; /* more than a chunk */

	fake_domain[1].max_pages = ARRAY_SIZE(f);
	for (unsigned int i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = frame_new(1);
	machine_run(0);
	machine_preempt(1);
	for (unsigned int i = 1; i <= 2; i++) {
		int rc;

		fake_domain[i].is_dying = true;
		while ((rc = pv_domain_relinquish(&fake_domain[i])) == -ERESTART)
			restarts[i - 1]++;
		assert_int_equal(rc, 0);
		assert_int_equal(fake_domain[i].tot_pages, 0);
	}
	assert_true(restarts[0] >= 2);
	assert_int_equal(restarts[1], 0); /* not a record looked at */
}

/* For each of the frames, which the table alone keeps, all CPUs of the owner are flushed. */
static void test_a_table_of_frames_given_back_is_left_in_steps(void **state)
{
	struct tree t = tree_new(1);
	u64 nr_free, nr_before;

	fake_domain[1].max_pages = FAKE_FRAMES;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		table_of(t.l1)[i] = entry_to(frame_new(1), RW);
	assert_int_equal(install(&t), 0);
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		assert_true(domain_frame_release(mfn_to_frame(pte_mfn(table_of(t.l1)[i]))));
	nr_before = nr_free = page_alloc_free_frames();
	machine_preempt(1);
	assert_int_equal(update(maddr_of(t.l2, 0), 0, DOMID_SELF), 0);
	do {
		assert_true(page_alloc_free_frames() - nr_free <= 64);
		nr_free = page_alloc_free_frames();
	} while (pv_drain_deferred(current) == -ERESTART);
	machine_preempt(0);
	assert_true(page_alloc_free_frames() - nr_free <= 64);
	assert_int_equal(page_alloc_free_frames() - nr_before, PT_ENTRIES);
}

static struct frame *watched;
static u64 watched_at_end;
static unsigned int nr_gone;

static void note_end(struct domain *d)
{
	watched_at_end = table_of(watched)[1];
	nr_gone++;
}

/*
 * dom0 lets go of what it maps of a dying domain: that goes after the call, which names it in each
 * entry.
 */
static void test_a_dying_domain_stays_until_the_call_that_names_it_is_over(void **state)
{
	struct frame *theirs = frame_new(1), *again = frame_new(1);
	struct mmu_update req[2];
	struct tree t;

	machine_run(0);
	t = tree_new(0);
	assert_int_equal(install(&t), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(theirs, RW), 1), 0);
	assert_int_equal(update(maddr_of(t.l1, 1), entry_to(again, RO), 1), 0);
	fake_domain[1].is_dying = true;
	assert_int_equal(pv_domain_relinquish(&fake_domain[1]), 0);
	assert_int_equal(fake_domain[1].tot_pages, 2);
	watched = t.l1;
	nr_gone = 0;
	fake_domain_goes = note_end;

	req[0] = (struct mmu_update){ maddr_of(t.l1, 1), 0 };
	req[1] = (struct mmu_update){ maddr_of(t.l1, 0), 0 };
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)&req[0], 1, 0, 1), 0);
	assert_int_equal(nr_gone, 0);
	req[0] = (struct mmu_update){ maddr_of(t.l1, 0), 0 };
	req[1] = (struct mmu_update){ maddr_of(t.l1, 1), 0x7000 }; /* not present, whatever it says */
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 2, 0, 1), 0);
	assert_int_equal(nr_gone, 1);
	assert_int_equal(watched_at_end, 0x7000);
	fake_domain_goes = NULL;
}

/* The same of the call for one address: nothing of the domain is looked at after it went. */
static void test_a_dying_domain_stays_until_its_mapping_by_address_is_over(void **state)
{
	struct frame *theirs = frame_new(1);
	struct tree t;

	machine_run(0);
	t = tree_new(0);
	assert_int_equal(install(&t), 0);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(theirs, RW), 1), 0);
	fake_domain[1].is_dying = true;
	assert_int_equal(pv_domain_relinquish(&fake_domain[1]), 0);
	nr_gone = 0;
	watched = t.l1;
	fake_domain_goes = note_end;
	assert_int_equal(call(hc_update_va_mapping_otherdomain, 0, 0, 0, 1), 0);
	assert_int_equal(nr_gone, 1); /* once: when the call had let go of it */
	fake_domain_goes = NULL;
}

/* CPU 0 runs domain 1, CPU 1 domain 2, CPU 2 dom0. */
static void three_cpus(void)
{
	static const unsigned int vcpu[] = { 1, 2, 0 };

	fake_nr_cpus = 3;
	machine_unload();
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		fake_cpu_id = cpu;
		machine_run(vcpu[cpu]);
	}
	machine_run(1);
}

static u64 flushed_at(unsigned int cpu)
{
	return fake_cpus[cpu].tlb_time;
}

static void test_a_type_change_flushes_only_who_ran_the_owner(void **state)
{
	u64 here, second, others[2];
	struct frame *page;
	struct tree t;

	three_cpus();
	t = tree_new(1);
	page = frame_new(1);
	assert_int_equal(install(&t), 0);
	here = flushed_at(0);
	others[0] = flushed_at(1);
	others[1] = flushed_at(2);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, RW), DOMID_SELF), 0);
		assert_true(guest_touch(3 * PAGE_SIZE, true));
		assert_int_equal(update(maddr_of(t.l1, 3), 0, DOMID_SELF), 0);
		assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
		assert_int_equal(mmuext(MMUEXT_UNPIN_TABLE, page), 0);
	}
	assert_true(flushed_at(0) - here >= 20);
	assert_int_equal(flushed_at(1), others[0]);
	assert_int_equal(flushed_at(2), others[1]);

	/* its second vcpu on another CPU is as much the owner */
	fake_cpu_id = 1;
	machine_unload();
	machine_run(FAKE_DOMAINS + 1);
	second = flushed_at(1);
	fake_cpu_id = 0;
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, RW), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 3), 0, DOMID_SELF), 0);
	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
	assert_true(flushed_at(1) != second);
}

static void test_giving_back_and_getting_frames_flushes_nobody_else(void **state)
{
	u64 here, others[2];

	three_cpus();
	here = flushed_at(0);
	others[0] = flushed_at(1);
	others[1] = flushed_at(2);
	for (int i = 0; i < 20; i++)
		domain_frame_release(frame_new(1));
	assert_true(flushed_at(0) != here);
	assert_int_equal(flushed_at(1), others[0]);
	assert_int_equal(flushed_at(2), others[1]);
}

static void clear_by_update(const struct tree *t)
{
	assert_int_equal(update(maddr_of(t->l1, 3), 0, DOMID_SELF), 0);
}

/* As a trapped store does. */
static void clear_by_exchange(const struct tree *t)
{
	const struct pt_subject s = { .pt_owner = current->domain, .frame_owner = current->domain };

	assert_int_equal(pv_entry_exchange(t->l1, 3, table_of(t->l1)[3], 0, &s), 0);
}

static void clear_with_the_table(const struct tree *t)
{
	assert_int_equal(update(maddr_of(t->l2, 0), 0, DOMID_SELF), 0);
}

/*
 * dom0 wrote to a guest's frame, and unmapped it without a flush: it is no table before dom0 has
 * forgotten it.
 */
static void foreign_is_let_go_and_flushed(const struct tree *t, void (*clear)(const struct tree *t))
{
	struct frame *page = frame_new(1);
	u32 dom0s;

	machine_run(0);
	assert_int_equal(update(maddr_of(t->l1, 3), entry_to(page, RW), 1), 0);
	assert_true(guest_touch(3 * PAGE_SIZE, true));
	clear(t);
	assert_true(tlb_has(frame_to_mfn(page), true));
	dom0s = flushed_at(2);
	machine_run(1);
	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
	assert_false(tlb_has(frame_to_mfn(page), true));
	assert_true(flushed_at(2) != dom0s);
	/* once is enough */
	dom0s = flushed_at(2);
	assert_int_equal(mmuext(MMUEXT_UNPIN_TABLE, page), 0);
	assert_int_equal(mmuext(MMUEXT_PIN_L2_TABLE, page), 0);
	assert_int_equal(flushed_at(2), dom0s);
}

static void test_who_let_go_of_a_foreign_frame_is_flushed_before_its_owner_uses_it(void **state)
{
	struct tree t;

	three_cpus();
	machine_run(0);
	t = tree_new(0);
	assert_int_equal(install(&t), 0);
	foreign_is_let_go_and_flushed(&t, clear_by_update);
	foreign_is_let_go_and_flushed(&t, clear_by_exchange);
	foreign_is_let_go_and_flushed(&t, clear_with_the_table);
}

/*
 * dom0 lets a guest have another's frame and takes it away again: it is who runs on the table that
 * has to forget it.
 */
static void test_a_table_changed_by_another_is_its_owners_to_be_flushed(void **state)
{
	struct frame *page;
	struct tree t;

	three_cpus();
	t = tree_new(1);
	page = frame_new(2);
	assert_int_equal(install(&t), 0);
	machine_run(0);
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, RW), (1 + 1) << 16 | 2), 0);
	machine_run(1);
	assert_true(guest_touch(3 * PAGE_SIZE, true));
	machine_run(0);
	assert_int_equal(update(maddr_of(t.l1, 3), 0, (1 + 1) << 16 | 2), 0);
	machine_run(2);
	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
	assert_false(tlb_has(frame_to_mfn(page), true));
}

/* It read there what another owner is to write. */
static void test_who_let_go_of_a_foreign_frame_is_flushed_before_anybody_gets_it(void **state)
{
	struct frame *page, *next;
	struct tree t;

	three_cpus();
	page = frame_new(1);
	machine_run(0);
	t = tree_new(0);
	assert_int_equal(install(&t), 0);
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, RO), 1), 0);
	assert_true(guest_touch(3 * PAGE_SIZE, false));
	assert_true(domain_frame_release(page));
	assert_int_equal(update(maddr_of(t.l1, 3), 0, DOMID_SELF), 0);
	do {
		next = frame_new(2);
		assert_non_null(next);
	} while (next != page);
	assert_false(tlb_has(frame_to_mfn(page), false));
}

/* A level-4 table with @n empty level-3 tables: each is a place to be preempted at. */
static struct frame *l4_with(unsigned int n)
{
	struct frame *l4 = frame_new(1);

	for (unsigned int i = 0; i < n; i++)
		table_of(l4)[i] = entry_to(frame_new(1), RW);
	return l4;
}

static long set_context(struct hc_args *a)
{
	return pv_vcpu_set_context(&fake_vcpu[FAKE_DOMAINS + 1], (void *)(uintptr_t)a->a[0]);
}

/*
 * VCPUOP_initialise drops the kernel's tables whenever the user's are not yet done: each time they
 * are put off.
 */
static void test_a_context_of_two_big_tables_is_taken_in_the_end(void **state)
{
	static struct vcpu_guest_context c;
	struct tree t = tree_new(1);
	struct frame *kernel = l4_with(4), *user = l4_with(12);

	assert_int_equal(install(&t), 0);
	c.ctrlreg[3] = mfn_to_maddr(frame_to_mfn(kernel));
	c.ctrlreg[1] = mfn_to_maddr(frame_to_mfn(user));
	c.flags = VGCF_in_kernel;
	machine_preempt(1);
	assert_int_equal(call(set_context, (u64)(uintptr_t)&c, 0, 0, 0), 0);
	machine_preempt(0);
	assert_false(fake_domain[1].is_crashed);
	assert_ptr_equal(fake_vcpu[FAKE_DOMAINS + 1].pv.cr3_user, user);
}

static long page_op(unsigned int cmd, struct frame *to, struct frame *from)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn_x(frame_to_mfn(to)) };

	op.arg2.src_mfn = mfn_x(frame_to_mfn(from));
	return call(hc_mmuext_op, (u64)(uintptr_t)&op, 1, 0, DOMID_SELF);
}

static void test_a_page_is_copied_and_cleared_whole(void **state)
{
	static const u8 zeros[PAGE_SIZE];
	struct tree t = tree_new(1);
	struct frame *from = frame_new(1), *to = frame_new(1), *foreign = frame_new(2);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	for (unsigned int i = 0; i < 512; i++)
		table_of(from)[i] = 0x0101010101010101UL * (i & 0xff) + i;
	assert_int_equal(page_op(MMUEXT_COPY_PAGE, to, from), 0);
	assert_memory_equal(table_of(to), table_of(from), PAGE_SIZE);
	assert_int_equal(frame_type_count(to) + frame_type_count(from), 0);
	assert_int_equal(page_op(MMUEXT_COPY_PAGE, t.l1, from), -EINVAL); /* a table */
	assert_int_equal(page_op(MMUEXT_COPY_PAGE, foreign, from), -EPERM);
	assert_int_equal(page_op(MMUEXT_COPY_PAGE, to, foreign), -EPERM);
	assert_int_equal(mmuext(MMUEXT_CLEAR_PAGE, to), 0);
	assert_memory_equal(table_of(to), zeros, PAGE_SIZE);
	assert_int_equal(mmuext(MMUEXT_CLEAR_PAGE, t.l1), -EINVAL);
	assert_int_equal(mmuext(MMUEXT_CLEAR_PAGE, foreign), -EPERM);
}

/* What one of its programs wrote there may not keep a guest from being restored. */
static void test_a_context_may_have_the_segment_bases_that_programs_write(void **state)
{
	static struct vcpu_guest_context c;
	struct tree t = tree_new(1);

	assert_int_equal(install(&t), 0);
	c.ctrlreg[3] = mfn_to_maddr(frame_to_mfn(l4_with(1)));
	c.flags = VGCF_in_kernel;
	c.fs_base = c.gs_base_kernel = 0xffff800000000000;
	c.gs_base_user = 0x800000000000;
	assert_int_equal(call(set_context, (u64)(uintptr_t)&c, 0, 0, 0), -EINVAL);
	c.gs_base_user = 0xffff800000000000;
	c.kernel_sp = 0xffff800000000000;
	assert_int_equal(call(set_context, (u64)(uintptr_t)&c, 0, 0, 0), -EINVAL);
	c.kernel_sp = 0;
	assert_int_equal(call(set_context, (u64)(uintptr_t)&c, 0, 0, 0), 0);
}

/*
 * What was taken before the bad entry is put in steps, too: the rest waits to be drained, and
 * nothing of it stays.
 */
static void test_a_refused_table_is_left_in_steps(void **state)
{
	struct frame *l2 = frame_new(1), *l1[4];
	struct tree t = tree_new(1);

	assert_int_equal(install(&t), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(l1); i++) {
		l1[i] = frame_new(1);
		table_of(l2)[i] = entry_to(l1[i], RW);
	}
	table_of(l2)[ARRAY_SIZE(l1)] = entry_to(t.l4, RW); /* no level-1 table */
	machine_preempt(1);
	assert_int_equal(mmuext(MMUEXT_PIN_L2_TABLE, l2), -EINVAL);
	assert_int_not_equal(frame_type_count(l1[0]), 0);
	while (pv_drain_deferred(current) == -ERESTART)
		;
	machine_preempt(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(l1); i++)
		assert_int_equal(frame_type_count(l1[i]), 0);
	assert_int_equal(frame_type_count(l2), 0);
	assert_int_equal(frame_ref_count(l2), 1);
}

/* Nothing does that: each way in drains. */
static void test_more_deferred_tables_than_a_call_leaves_end_their_domain(void **state)
{
	struct tree t = tree_new(1);

	assert_int_equal(install(&t), 0);
	for (unsigned int i = 0; i < 6; i++) {
		struct frame *l4 = l4_with(2);

		assert_int_equal(frame_get_and_type(l4, current->domain, FT_L4), 0);
		machine_preempt(1);
		frame_put_and_type(l4);
		machine_preempt(0);
	}
	assert_true(fake_domain[1].is_crashed);
	assert_int_equal(current->pv.nr_deferred, ARRAY_SIZE(current->pv.deferred));
	machine_run(0);
	fake_domain[1].is_dying = true;
	assert_int_equal(pv_domain_relinquish(&fake_domain[1]), 0);
	assert_int_equal(fake_domain[1].tot_pages, 0);
}

/* Whether a checked build stops where @f is written as a table of @level, in another process. */
static bool stops(struct frame *f, unsigned int level)
{
	int status;
	pid_t child = fork();

	if (!child) {
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		_exit(!ptval_entry_changes(f, level, 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGABRT);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

/* Whatever came between the check and the use: another type, none, half a table, or the end. */
static void test_a_table_that_changed_while_it_was_held_is_noticed(void **state)
{
	struct tree t = tree_new(1);
	u32 type;
	u64 ref;

	assert_int_equal(install(&t), 0);
	type = t.l1->type;
	ref = t.l1->ref;
	assert_false(stops(t.l1, 1));
	assert_true(stops(t.l1, 2));
	t.l1->type = (u32)FT_WR << FT_SHIFT | FT_VALID | 1;
	assert_true(stops(t.l1, 1));
	t.l1->type = type & ~FT_VALID;
	assert_true(stops(t.l1, 1));
	t.l1->type = type & ~FT_COUNT_MASK;
	assert_true(stops(t.l1, 1));
	t.l1->type = type;
	t.l1->ref = ref & ~(u64)FRAME_REF_MASK;
	assert_true(stops(t.l1, 1));
	t.l1->ref = ref;
	assert_false(stops(t.l1, 1));
}

/*
 * Makes @f, PARTIAL, a table of @level that names @below, and is left when its first level below is
 * half looked at.
 */
static void leave_half_done(struct frame *f, unsigned int level, struct frame *below)
{
	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE + frame_type_of(f) - 1, f), 0);
	assert_int_equal(mmuext(MMUEXT_UNPIN_TABLE, f), 0);
	table_of(f)[0] = entry_to(below, RW);
	table_of(f)[1] = 0;
	machine_preempt(1);
	assert_int_equal(frame_get_and_type(f, current->domain, (enum frame_type)level), -ERESTART);
	machine_preempt(0);
}

/*
 * A guest ends what another of its vcpus left half done, and makes something else of that table,
 * half done as well. So it has as many such tables as it likes, each of which names the next:
 * ending one must not end the next by a call in a call, which is the hypervisor's stack.
 */
static void test_a_half_done_table_ends_only_what_still_is_its_own(void **state)
{
	struct frame *chain[50], *l1 = frame_new(1);
	const unsigned int last = ARRAY_SIZE(chain) - 1;

	for (unsigned int i = 0; i <= last; i++) {
		chain[i] = frame_new(1);
		table_of(chain[i])[0] = table_of(chain[i])[1] = entry_to(l1, RW);
	}
	machine_preempt(1);
	assert_int_equal(frame_get_and_type(chain[0], current->domain, FT_L2), -ERESTART);
	machine_preempt(0);
	for (unsigned int i = 0; i < last; i++)
		leave_half_done(chain[i], 3, chain[i + 1]);
	assert_int_equal(audit(NULL, NULL), 0);

	assert_int_equal(ptval_finish_partial(chain[0]), 0);
	assert_int_equal(frame_type_count(chain[0]), 0);
	assert_true(chain[1]->type & FT_PARTIAL);
	assert_int_equal(frame_type_of(chain[1]), FT_L3);
	assert_int_equal(audit(NULL, NULL), 0);
	/* the last two are what they were: the lower one ends with the upper */
	assert_int_equal(frame_type_of(chain[last]), FT_L2);
	assert_int_equal(ptval_finish_partial(chain[last - 1]), 0);
	assert_int_equal(frame_type_count(chain[last]), 0);
	machine_run(0);
	fake_domain[1].is_dying = true;
	assert_int_equal(pv_domain_relinquish(&fake_domain[1]), 0);
	assert_int_equal(fake_domain[1].tot_pages, 0);
}

/* Where a mispredicted branch let a guest's number come too far. */
static void test_no_frame_number_leads_out_of_the_table(void **state)
{
	assert_ptr_equal(mfn_to_frame(_mfn(frame_table_nr - 1)), frame_table + frame_table_nr - 1);
	assert_ptr_equal(mfn_to_frame(_mfn(frame_table_nr)), frame_table);
	assert_ptr_equal(mfn_to_frame(_mfn(~0ULL)), frame_table);
}

#define CLAIM(t) cmocka_unit_test_setup_teardown(t, fresh, audited)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_no_frame_number_leads_out_of_the_table),
		CLAIM(test_a_page_is_copied_and_cleared_whole),
		CLAIM(test_a_context_may_have_the_segment_bases_that_programs_write),
		CLAIM(test_a_tree_of_good_tables_can_be_pinned_and_unpinned),
		CLAIM(test_a_page_table_is_never_mapped_writable),
		CLAIM(test_a_writable_page_never_becomes_a_table),
		CLAIM(test_same_level_entries_are_refused),
		CLAIM(test_an_absent_entry_names_no_memory_where_the_cpu_would_read_it),
		CLAIM(test_superpages_and_reserved_bits_are_refused_at_every_level),
		CLAIM(test_a_bad_entry_leaves_nothing_behind),
		CLAIM(test_the_hypervisors_slots_are_written_by_nobody_else),
		CLAIM(test_foreign_frames_need_the_right_and_the_right_owner),
		CLAIM(test_device_memory_is_for_the_privileged_and_uncached),
		CLAIM(test_dom0_may_read_the_m2p_and_nobody_may_write_it),
		CLAIM(test_ram_is_write_back_for_an_unprivileged_guest),
		CLAIM(test_kernel_pages_are_marked_and_never_global),
		CLAIM(test_turning_a_page_read_only_flushes_before_it_becomes_a_table),
		CLAIM(test_a_fast_update_never_changes_frame_or_rights),
		CLAIM(test_no_update_sets_a_reserved_bit_in_an_upper_entry),
		CLAIM(test_a_type_count_at_its_maximum_refuses),
		CLAIM(test_the_grant_marker_cannot_be_forged),
		CLAIM(test_a_released_frame_stays_while_it_is_mapped),
		CLAIM(test_a_released_frame_can_be_written_by_nobody),
		CLAIM(test_no_type_outlives_its_owner),
		CLAIM(test_a_grant_mapping_is_not_replaced_by_itself),
		CLAIM(test_shared_memory_that_is_taken_back_is_written_by_nobody),
		CLAIM(test_shared_hypervisor_memory_is_flushed_before_it_is_used_again),
		CLAIM(test_a_dying_owner_gives_out_no_reference),
		CLAIM(test_base_pointers_name_only_validated_l4_tables),
		CLAIM(test_a_gdt_page_holds_only_harmless_descriptors),
		CLAIM(test_teardown_returns_every_frame_whatever_state_they_are_in),
		CLAIM(test_a_table_refused_after_a_stop_is_flushed_before_it_is_written),
		CLAIM(test_teardown_lets_others_in_and_passes_by_where_it_has_nothing),
		CLAIM(test_a_table_of_frames_given_back_is_left_in_steps),
		CLAIM(test_a_dying_domain_stays_until_the_call_that_names_it_is_over),
		CLAIM(test_a_dying_domain_stays_until_its_mapping_by_address_is_over),
		CLAIM(test_a_type_change_flushes_only_who_ran_the_owner),
		CLAIM(test_giving_back_and_getting_frames_flushes_nobody_else),
		CLAIM(test_who_let_go_of_a_foreign_frame_is_flushed_before_its_owner_uses_it),
		CLAIM(test_who_let_go_of_a_foreign_frame_is_flushed_before_anybody_gets_it),
		CLAIM(test_a_table_changed_by_another_is_its_owners_to_be_flushed),
		CLAIM(test_a_context_of_two_big_tables_is_taken_in_the_end),
		CLAIM(test_a_refused_table_is_left_in_steps),
		CLAIM(test_a_half_done_table_ends_only_what_still_is_its_own),
		CLAIM(test_more_deferred_tables_than_a_call_leaves_end_their_domain),
		CLAIM(test_a_table_that_changed_while_it_was_held_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
