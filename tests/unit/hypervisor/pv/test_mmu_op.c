/* SPDX-License-Identifier: MIT */
/*
 * test_mmu_op.c - what mmu_update, update_va_mapping and mmuext_op answer, whom they flush, and how
 * far they have come when they
 * stop: xen/xen.h. Whether what they allow is safe is test_ptval.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "domain/frame_ref.h"
#include "domain/hc_args.h"
#include "guest.h"
#include "pv/shadow.h"
#include "x86/cpu.h"
#include "x86/pagetable.h"
#include "x86/spec_ctrl.h"
#include "x86/tlb.h"

extern unsigned int fake_xpti_changes; /* tests/fakes/hvcpu/spec.c */

#define NOT_RAM (FAKE_FRAMES - 1ULL)
#define NO_DOMAIN 77
#define BAD_VA 0xffff800000000000 /* the hypervisor's hole */
#define VA_A (3 * PAGE_SIZE)
#define VA_B (4 * PAGE_SIZE)

static struct domain *const d1 = &fake_domain[1];
static struct tree t;
static struct frame *page, *other, *theirs; /* one mapped at VA_A, one at VA_B, one of domain 2's */

static int fresh(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	t = tree_new(1);
	page = frame_new(1);
	other = frame_new(1);
	theirs = frame_new(2);
	table_of(t.l1)[3] = entry_to(page, RW);
	table_of(t.l1)[4] = entry_to(other, RW);
	return install(&t);
}

static int audited(void **state)
{
	unsigned int wrong = audit(NULL, NULL);

	for (unsigned int i = 0; i < FAKE_DOMAINS; i++)
		wrong += fake_domain[i].nr_holds;
	machine_free();
	return wrong != 0;
}

static void dom0_runs(void)
{
	machine_run(0);
	t = tree_new(0);
	assert_int_equal(install(&t), 0);
}

/* --- mmu_update --- */

static u64 addr(u64 mfn)
{
	return mfn << PAGE_SHIFT;
}

static void test_an_update_says_why_it_is_refused(void **state)
{
	struct frame *seg = frame_new(1);
	const u64 plain = maddr_of(frame_new(1), 5);
	const struct {
		u64 ptr, val;
		long rc;
	} updates[] = {
		{ addr(NOT_RAM), 0, -EINVAL }, { addr(FAKE_FRAMES), 0, -EINVAL }, { maddr_of(theirs, 0), 0, -EPERM },
		{ maddr_of(seg, 0), 0, -EINVAL }, { plain, ~0ULL, 0 }, { maddr_of(t.l1, 9), entry_to(theirs, RO), -EPERM },
		{ maddr_of(t.l1, 9), entry_to(t.l2, RW), -EBUSY }, { maddr_of(t.l1, 9), 1ULL << 45 | RO, -EINVAL },
		{ maddr_of(t.l2, 9), entry_to(theirs, RW), -EPERM }, { maddr_of(t.l2, 9), addr(NOT_RAM) | RW, -EINVAL },
		{ maddr_of(t.l2, 9), entry_to(t.l4, RW), -EINVAL }, { maddr_of(t.l4, HV_L4_FIRST), 0, -EINVAL },
		{ maddr_of(t.l4, HV_L4_LAST), 0, -EINVAL }, { maddr_of(t.l4, HV_L4_FIRST - 1), 0, 0 }, { maddr_of(t.l4, HV_L4_LAST + 1), 0, 0 },
		{ addr(NOT_RAM) | MMU_MACHPHYS_UPDATE, 0, -EINVAL }, { maddr_of(theirs, 0) | MMU_MACHPHYS_UPDATE, 0, -EPERM },
		{ maddr_of(page, 0) | MMU_MACHPHYS_UPDATE, 99, 0 },
	};

	assert_int_equal(frame_get_and_type(seg, d1, FT_SEG), 0);
	page->ref &= ~FRAME_WRITTEN;
	frame_table[plain >> PAGE_SHIFT].ref &= ~FRAME_WRITTEN;
	for (size_t i = 0; i < ARRAY_SIZE(updates); i++) {
		long rc = update(updates[i].ptr, updates[i].val, DOMID_SELF);

		if (rc != updates[i].rc)
			fail_msg("%zu: %ld", i, rc);
	}
	assert_int_equal(m2p_get(frame_to_mfn(page)), 99);
	assert_true(page->ref & FRAME_WRITTEN);
	assert_int_equal(*(u64 *)mfn_to_virt(maddr_to_mfn(plain)) | ((u64 *)mfn_to_virt(maddr_to_mfn(plain)))[6], 0);
	assert_int_equal(((u64 *)mfn_to_virt(maddr_to_mfn(plain)))[5], ~0ULL);
	assert_true(frame_table[plain >> PAGE_SHIFT].ref & FRAME_WRITTEN);
	frame_put_and_type(seg);
}

static void test_a_half_done_table_is_not_written(void **state)
{
	struct frame *l2 = frame_new(1);

	for (unsigned int i = 0; i < 4; i++)
		table_of(l2)[i] = entry_to(frame_new(1), RW);
	machine_preempt(1);
	assert_int_equal(frame_get_and_type(l2, d1, FT_L2), -ERESTART);
	machine_preempt(0);
	assert_int_equal(update(maddr_of(l2, 3), 0, DOMID_SELF), -EINVAL);
	assert_int_equal(frame_get_and_type(l2, d1, FT_L2), 0);
	frame_put_and_type(l2);
}

/* The low half names the owner of the frames, the high one, less one, that of the tables. */
static void test_who_is_named_must_be_there_and_within_reach(void **state)
{
	static const struct {
		u32 foreign;
		long of_domu, of_dom0;
	} names[] = {
		{ DOMID_SELF, 0, 0 }, { 1, 0, 0 }, { 2, -EPERM, 0 }, { NO_DOMAIN, -ESRCH, -ESRCH }, { DOMID_IO, -EPERM, 0 }, { DOMID_XEN, -EPERM, 0 },
		{ (1 + 1) << 16 | 1, 0, 0 }, { (2 + 1) << 16 | 1, -EPERM, 0 }, { (NO_DOMAIN + 1) << 16 | DOMID_SELF, -ESRCH, -ESRCH },
		{ (2 + 1) << 16 | DOMID_SELF, -EPERM, 0 }, { (1 + 1) << 16 | DOMID_XEN, -EPERM, 0 },
	};

	for (unsigned int by_dom0 = 0; by_dom0 < 2; by_dom0++) {
		machine_run(!by_dom0);
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			struct mmu_update none;
			long rc = call(hc_mmu_update, (u64)(uintptr_t)&none, 0, 0, names[i].foreign);

			if (rc != (by_dom0 ? names[i].of_dom0 : names[i].of_domu))
				fail_msg("dom0 %u, %#x: %ld", by_dom0, names[i].foreign, rc);
			for (unsigned int d = 0; d < FAKE_DOMAINS; d++)
				assert_int_equal(fake_domain[d].nr_holds, 0);
		}
	}
}

/* xen/xen.h: PRESERVE_AD keeps what the MMU set; the plain one writes what it says. */
static void test_accessed_and_dirty_are_kept_for_who_asks(void **state)
{
	const u64 ad = PTE_A | PTE_D;
	u64 *slot = &table_of(t.l1)[3];

	for (u64 was = 0; was <= 1; was++)
		for (u64 rights = 0; rights <= 1; rights++) { /* the quick way, and that by references */
			*slot = (*slot & ~ad) | (was ? ad : 0);
			assert_int_equal(update(maddr_of(t.l1, 3) | MMU_PT_UPDATE_PRESERVE_AD,
						entry_to(page, rights ? RO : RW | PTE_NX), DOMID_SELF), 0);
			assert_int_equal(*slot & (ad | PTE_NX), (was ? ad : 0) | (rights ? 0 : PTE_NX));
			*slot |= ad;
			assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page, rights ? RO : RW), DOMID_SELF), 0);
			assert_int_equal(*slot & ad, 0);
			*slot |= ad;
			assert_int_equal(update(maddr_of(t.l1, 3) | MMU_PT_UPDATE_NO_TRANSLATE, entry_to(page, RW), DOMID_SELF), 0);
			assert_int_equal(*slot & ad, 0);
		}
	*slot |= ad;
	assert_int_equal(update(maddr_of(t.l1, 3) | MMU_PT_UPDATE_PRESERVE_AD, 0, DOMID_SELF), 0);
	assert_int_equal(*slot, 0); /* of what is not present nothing is kept */
}

/*
 * Bits that are the guest's matter and no right change by themselves: whose frame it is, is not asked
 * again, and dom0 need not name it.
 */
static void test_a_bit_that_gives_nothing_changes_without_a_new_reference(void **state)
{
	const u64 free = (PTE_US | PTE_A | PTE_D | PTE_AVL_LOW | PTE_AVL_HIGH | PTE_NX) & ~PTE_GRANT;
	const u64 entry = entry_to(theirs, RO);
	u64 ptr, count;

	dom0_runs();
	ptr = maddr_of(t.l1, 9);
	assert_int_equal(update(ptr, entry, 2), 0);
	count = frame_ref_count(theirs);
	for (u64 bit = 1; bit; bit <<= 1) {
		if (!(free & bit))
			continue;
		if (update(ptr, entry ^ bit, DOMID_SELF) || update(ptr, entry, DOMID_SELF))
			fail_msg("bit %lx", (unsigned long)bit);
	}
	assert_int_equal(update(ptr, entry ^ PTE_RW, DOMID_SELF), -EPERM);
	assert_int_equal(frame_ref_count(theirs), count);
}

static void test_an_exchange_of_another_entry_than_it_saw_changes_nothing(void **state)
{
	const struct pt_subject s = { .pt_owner = d1, .frame_owner = d1 };
	u64 now = table_of(t.l1)[3];
	unsigned int refs = frame_ref_count(other);

	assert_int_equal(pv_entry_exchange(t.l1, 3, now ^ PTE_A, entry_to(other, RW), &s), -EAGAIN);
	assert_int_equal(pv_entry_exchange(t.l1, 3, now ^ PTE_A, now | PTE_NX, &s), -EAGAIN);
	assert_int_equal(pv_entry_exchange(t.l1, 3, now ^ PTE_A, 0, &s), -EAGAIN);
	assert_int_equal(table_of(t.l1)[3], now);
	assert_int_equal(frame_ref_count(other), refs);
	assert_int_equal(pv_entry_exchange(t.l1, 3, now, now | PTE_NX, &s), 0);
	assert_int_equal(pv_entry_exchange(t.l1, 3, now | PTE_NX, entry_to(other, RW) | PTE_GRANT, &s), 0);
	assert_false(table_of(t.l1)[3] & PTE_GRANT);
	assert_int_equal(pv_entry_exchange(t.l1, 3, table_of(t.l1)[3], entry_to(other, RO), &s), 0);
	assert_int_equal(pv_entry_exchange(t.l1, 3, table_of(t.l1)[3], 1ULL << 45 | RO, &s), -EINVAL);
	assert_int_equal(pv_entry_exchange(t.l1, 3, table_of(t.l1)[3], entry_to(t.l2, RW), &s), -EBUSY);
	spec_plan.l1tf = true; /* nor does an absent one name memory, where the CPU would look there */
	assert_int_equal(pv_entry_exchange(t.l1, 3, table_of(t.l1)[3], entry_to(page, RW) & ~PTE_P, &s), -EINVAL);
	spec_plan.l1tf = false;
	assert_int_equal(pv_entry_exchange(t.l1, 3, table_of(t.l1)[3], entry_to(page, RW) & ~PTE_P, &s), 0);
}

/*
 * The LDT's frames and stores to tables are found by this walk: it never leads into the
 * hypervisor's part, nor begins nowhere.
 */
static void test_only_a_guests_address_is_walked(void **state)
{
	assert_int_equal(pv_l1_entry(current, VA_A) & PTE_ADDR_MASK, entry_to(page, 0));
	table_of(t.l4)[HV_L4_FIRST] = entry_to(t.l3, RW); /* as if it were there */
	assert_int_equal(pv_l1_entry(current, HV_HOLE_START + VA_A), 0);
	table_of(t.l4)[HV_L4_FIRST] = 0;
	assert_int_equal(pv_l1_entry(current, 512 * PAGE_SIZE), 0);
	assert_int_equal(pv_l1_entry(current, 1UL << 39), 0);
	assert_int_equal(pv_l1_entry(&fake_vcpu[2], VA_A), 0); /* without tables */
}

/* What a CPU copies of a level-4 table (x86/xpti.h) is old when one changes, and only then. */
static void test_a_change_of_a_level_4_table_makes_copies_old(void **state)
{
	unsigned int nr_changes = fake_xpti_changes;
	struct frame *more = frame_new(1);

	assert_int_equal(update(maddr_of(t.l1, 9), entry_to(page, RO), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l3, 9), 0, DOMID_SELF), 0);
	assert_int_equal(fake_xpti_changes, nr_changes);
	assert_int_equal(update(maddr_of(t.l4, 9), entry_to(t.l3, RW), DOMID_SELF), 0);
	assert_int_equal(fake_xpti_changes, nr_changes + 1);
	assert_int_equal(update(maddr_of(t.l4, 9), table_of(t.l4)[9] | PTE_AVL_LOW, DOMID_SELF), 0);
	assert_int_equal(fake_xpti_changes, nr_changes + 2);
	assert_int_equal(update(maddr_of(t.l4, 9), 0, DOMID_SELF), 0);
	assert_int_equal(fake_xpti_changes, nr_changes + 3);
	assert_int_equal(frame_get_and_type(more, d1, FT_L4), 0); /* the hypervisor's part is written into it */
	assert_int_equal(fake_xpti_changes, nr_changes + 4);
	assert_int_equal(table_of(more)[PERDOMAIN_L4_SLOT] & ~(PTE_A | PTE_D),
			 pte_make(virt_to_mfn(d1->pv.perdomain_l3), PTE_P | PTE_RW));
	assert_int_equal(table_of(more)[HV_L4_LAST], hv_l4[HV_L4_LAST]);
	frame_put_and_type(more);
}

static u64 *watched_slot, seen_at_end;

static void look_at_slot(struct domain *d)
{
	seen_at_end = *watched_slot;
}

/* D5: who walks the tables meanwhile never finds a frame that is already somebody else's. */
static void test_an_entry_is_written_before_what_it_held_is_let_go(void **state)
{
	const struct pt_subject s = { .pt_owner = &fake_domain[0], .frame_owner = &fake_domain[0] };
	const u64 news[] = { 0x5000, 0 }; /* not present; of a page of its own */
	struct frame *own;

	dom0_runs();
	for (size_t i = 0; i < ARRAY_SIZE(news); i++) {
		struct frame *f = frame_new(2);
		u64 val;

		own = frame_new(0);
		val = news[i] ? news[i] : entry_to(own, RO);
		assert_int_equal(update(maddr_of(t.l1, 9), entry_to(f, RW), 2), 0);
		fake_domain[2].is_dying = true;
		fake_domain[2].nr_holds = 1;
		while (pv_domain_relinquish(&fake_domain[2]))
			;
		fake_domain[2].nr_holds = 0;
		fake_domain_goes = look_at_slot;
		watched_slot = &table_of(t.l1)[9];
		seen_at_end = 1;
		assert_int_equal(frame_type_get(t.l1, FT_L1), 0);
		assert_int_equal(pv_entry_update(t.l1, 1, 9, val, false, &s), 0);
		frame_type_put(t.l1);
		assert_int_equal(seen_at_end, table_of(t.l1)[9]);
		fake_domain_goes = NULL;
		fake_domain[2].is_dying = false;
		fake_domain[2].pv.teardown_sweep = 0;
	}
}

/* --- how far it came --- */

static void test_what_is_done_is_counted_to_where_it_stops(void **state)
{
	struct mmu_update req[4] = { { maddr_of(t.l1, 9), entry_to(page, RO) }, { maddr_of(t.l1, 10), entry_to(page, RO) },
				     { addr(NOT_RAM), 0 }, { maddr_of(t.l1, 11), entry_to(page, RO) } };
	u32 done = 55;

	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 4, (u64)(uintptr_t)&done, DOMID_SELF), -EINVAL);
	assert_int_equal(done, 2);
	assert_int_equal(table_of(t.l1)[11], 0);
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 2, (u64)(uintptr_t)&done, DOMID_SELF), 0);
	assert_int_equal(done, 2);
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 2, 0, DOMID_SELF), 0);
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 2, BAD_VA, DOMID_SELF), -EFAULT);
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 4, BAD_VA, DOMID_SELF), -EINVAL); /* the first reason */
	assert_int_equal(call(hc_mmu_update, BAD_VA, 1, (u64)(uintptr_t)&done, DOMID_SELF), -EFAULT);
	assert_int_equal(done, 0);
	/* a call that was stopped goes on counting; where it cannot, it says so */
	done = 40;
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 2 | MMU_UPDATE_PREEMPTED, (u64)(uintptr_t)&done, DOMID_SELF), 0);
	assert_int_equal(done, 42);
	assert_int_equal(call(hc_mmu_update, (u64)(uintptr_t)req, 2 | MMU_UPDATE_PREEMPTED, BAD_VA, DOMID_SELF), -EFAULT);
}

static void test_a_stopped_call_names_what_is_left(void **state)
{
	struct mmu_update req[3] = { { maddr_of(t.l1, 9), entry_to(page, RO) }, { maddr_of(t.l1, 10), entry_to(page, RO) },
				     { maddr_of(t.l1, 11), entry_to(page, RO) } };
	struct mmuext_op op[3] = { { .cmd = MMUEXT_TLB_FLUSH_LOCAL }, { .cmd = MMUEXT_TLB_FLUSH_LOCAL }, { .cmd = MMUEXT_TLB_FLUSH_LOCAL } };
	u32 done = 7;
	struct hc_args a = { { (u64)(uintptr_t)req, 3, (u64)(uintptr_t)&done, DOMID_SELF } };

	machine_preempt(1);
	assert_int_equal(hc_mmu_update(&a), -ERESTART);
	assert_int_equal(a.a[0], (u64)(uintptr_t)&req[1]);
	assert_int_equal(a.a[1], 2 | MMU_UPDATE_PREEMPTED);
	assert_int_equal(done, 1);
	assert_int_equal(hc_mmu_update(&a), -ERESTART);
	assert_int_equal(a.a[1], 1 | MMU_UPDATE_PREEMPTED);
	assert_int_equal(hc_mmu_update(&a), 0); /* one is always done */
	assert_int_equal(done, 3);
	assert_int_not_equal(table_of(t.l1)[11], 0);

	done = 7;
	a = (struct hc_args){ { (u64)(uintptr_t)op, 3, (u64)(uintptr_t)&done, DOMID_SELF } };
	assert_int_equal(hc_mmuext_op(&a), -ERESTART);
	assert_int_equal(a.a[0], (u64)(uintptr_t)&op[1]);
	assert_int_equal(a.a[1], 2);
	assert_int_equal(done, 7);
	assert_int_equal(d1->nr_holds, 0);
	a.a[1] |= MMU_UPDATE_PREEMPTED; /* by a guest of today's or yesterday's */
	assert_int_equal(hc_mmuext_op(&a), -ERESTART);
	assert_int_equal(hc_mmuext_op(&a), 0);
	assert_int_equal(done, 1);
	machine_preempt(0);
}

/* A table that is not yet taken apart is finished before the next entry is looked at. */
static void test_what_an_entry_leaves_stops_the_call(void **state)
{
	struct frame *l2[2] = { frame_new(1), frame_new(1) };
	struct mmu_update req[2] = { { maddr_of(t.l3, 1), 0 }, { maddr_of(t.l1, 11), entry_to(page, RO) } };
	struct mmuext_op op[2] = { { .cmd = MMUEXT_UNPIN_TABLE }, { .cmd = MMUEXT_TLB_FLUSH_LOCAL } };
	struct hc_args a = { { (u64)(uintptr_t)req, 2, 0, DOMID_SELF } };

	for (unsigned int k = 0; k < 2; k++)
		for (unsigned int i = 0; i < 4; i++)
			table_of(l2[k])[i] = entry_to(frame_new(1), RW);
	assert_int_equal(update(maddr_of(t.l3, 1), entry_to(l2[0], RW), DOMID_SELF), 0);
	assert_int_equal(mmuext(MMUEXT_PIN_L2_TABLE, l2[1]), 0);
	/* told to stop in the middle of the table, and never again */
	while (!current->pv.nr_deferred) {
		machine_preempt(2);
		assert_int_equal(update(maddr_of(t.l3, 1), 0, DOMID_SELF), 0);
		machine_preempt(0);
		if (!current->pv.nr_deferred)
			assert_int_equal(update(maddr_of(t.l3, 1), entry_to(l2[0], RW), DOMID_SELF), 0);
	}
	assert_int_equal(hc_mmu_update(&a), -ERESTART);
	assert_int_equal(table_of(t.l1)[11], 0);
	op[0].arg1.mfn = mfn_x(frame_to_mfn(l2[1]));
	a = (struct hc_args){ { (u64)(uintptr_t)op, 2, 0, DOMID_SELF } };
	assert_int_equal(hc_mmuext_op(&a), -ERESTART);
	assert_int_equal(a.a[1], 1);
	assert_int_equal(pv_drain_deferred(current), 0);
}

/* --- mmuext_op --- */

static long ext(unsigned int cmd, u64 arg1, u64 arg2, u32 foreign)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = arg1 };

	op.arg2.src_mfn = arg2;
	return call(hc_mmuext_op, (u64)(uintptr_t)&op, 1, 0, foreign);
}

static u64 nr(const struct frame *f)
{
	return mfn_x(frame_to_mfn(f));
}

static void test_an_extended_operation_says_why_it_is_refused(void **state)
{
	struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
	const struct {
		unsigned int cmd;
		u64 arg1, arg2;
		long rc;
	} ops[] = {
		{ MMUEXT_PIN_L1_TABLE, NOT_RAM, 0, -EINVAL }, { MMUEXT_PIN_L1_TABLE, nr(theirs), 0, -EPERM },
		{ MMUEXT_PIN_L1_TABLE, nr(page), 0, -EINVAL }, { MMUEXT_PIN_L4_TABLE, nr(t.l4), 0, 0 }, { MMUEXT_PIN_L4_TABLE, nr(t.l4), 0, -EINVAL },
		{ MMUEXT_PIN_L3_TABLE, nr(t.l4), 0, -EINVAL }, { MMUEXT_UNPIN_TABLE, nr(t.l4), 0, 0 }, { MMUEXT_UNPIN_TABLE, nr(t.l4), 0, -EINVAL },
		{ MMUEXT_UNPIN_TABLE, NOT_RAM, 0, -EINVAL }, { MMUEXT_UNPIN_TABLE, nr(theirs), 0, -EPERM },
		{ MMUEXT_NEW_BASEPTR, NOT_RAM, 0, -EINVAL }, { MMUEXT_NEW_BASEPTR, nr(theirs), 0, -EPERM }, { MMUEXT_NEW_BASEPTR, nr(t.l3), 0, -EINVAL },
		{ MMUEXT_NEW_BASEPTR, nr(t.l4), 0, 0 },
		{ MMUEXT_NEW_USER_BASEPTR, NOT_RAM, 0, -EINVAL }, { MMUEXT_NEW_USER_BASEPTR, nr(theirs), 0, -EPERM },
		{ MMUEXT_NEW_USER_BASEPTR, nr(t.l3), 0, -EINVAL }, { MMUEXT_NEW_USER_BASEPTR, nr(t.l4), 0, 0 }, { MMUEXT_NEW_USER_BASEPTR, 0, 0, 0 },
		{ MMUEXT_CLEAR_PAGE, NOT_RAM, 0, -EINVAL }, { MMUEXT_CLEAR_PAGE, nr(theirs), 0, -EPERM }, { MMUEXT_CLEAR_PAGE, nr(t.l1), 0, -EINVAL },
		{ MMUEXT_COPY_PAGE, NOT_RAM, nr(page), -EINVAL }, { MMUEXT_COPY_PAGE, nr(page), NOT_RAM, -EINVAL },
		{ MMUEXT_COPY_PAGE, nr(theirs), nr(page), -EPERM }, { MMUEXT_COPY_PAGE, nr(page), nr(theirs), -EPERM },
		{ MMUEXT_COPY_PAGE, nr(t.l1), nr(page), -EINVAL }, { MMUEXT_COPY_PAGE, nr(page), nr(t.l1), 0 },
		{ MMUEXT_FLUSH_CACHE, 0, 0, -EACCES }, { MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0, -EACCES },
		{ MMUEXT_SET_LDT, 5, 1, -EINVAL }, { MMUEXT_SET_LDT, PAGE_SIZE, 8193, -EINVAL }, { MMUEXT_SET_LDT, BAD_VA, 1, -EINVAL },
		{ MMUEXT_SET_LDT, PAGE_SIZE, 8192, 0 }, { MMUEXT_SET_LDT, 0, 0, 0 },
		{ MMUEXT_TLB_FLUSH_MULTI, 0, BAD_VA, -EFAULT }, { MMUEXT_INVLPG_MULTI, 0, BAD_VA, -EFAULT },
		{ MMUEXT_INVLPG_LOCAL, BAD_VA, 0, 0 }, { MMUEXT_INVLPG_ALL, BAD_VA, 0, 0 }, { 14, 0, 0, -EOPNOTSUPP },
		{ MMUEXT_MARK_SUPER, 0, 0, -EOPNOTSUPP }, { MMUEXT_UNMARK_SUPER, 0, 0, -EOPNOTSUPP }, { ~0u, 0, 0, -EOPNOTSUPP },
	};

	assert_int_equal(call(hc_mmuext_op, (u64)(uintptr_t)&flush, 1, BAD_VA, DOMID_SELF), -EFAULT); /* how many were done */
	assert_int_equal(call(hc_mmuext_op, BAD_VA, 1, 0, DOMID_SELF), -EFAULT);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		long rc = ext(ops[i].cmd, ops[i].arg1, ops[i].arg2, DOMID_SELF);

		if (rc != ops[i].rc)
			fail_msg("%zu: operation %u: %ld", i, ops[i].cmd, rc);
		assert_int_equal(audit(NULL, NULL), 0);
	}
	assert_int_equal(ext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0, NO_DOMAIN), -ESRCH);
	assert_int_equal(ext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0, 2), -EPERM);
	dom0_runs(); /* its own tables are its own to load, another's are not */
	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, nr(t.l4), 0, 2), -EPERM);
	assert_int_equal(ext(MMUEXT_NEW_USER_BASEPTR, 0, 0, 2), -EPERM);
	assert_int_equal(ext(MMUEXT_SET_LDT, 0, 0, 2), -EPERM);
	assert_int_equal(ext(MMUEXT_CLEAR_PAGE, nr(theirs), 0, 2), 0);
}

static void test_pages_written_for_the_guest_are_noted(void **state)
{
	table_of(page)[7] = 5;
	other->ref &= ~FRAME_WRITTEN;
	page->ref &= ~FRAME_WRITTEN;
	assert_int_equal(ext(MMUEXT_COPY_PAGE, nr(other), nr(page), DOMID_SELF), 0);
	assert_int_equal(table_of(other)[7], 5);
	assert_true(other->ref & FRAME_WRITTEN);
	assert_false(page->ref & FRAME_WRITTEN);
	other->ref &= ~FRAME_WRITTEN;
	assert_int_equal(ext(MMUEXT_CLEAR_PAGE, nr(other), 0, DOMID_SELF), 0);
	assert_true(other->ref & FRAME_WRITTEN);
}

static void test_base_pointers_are_what_is_walked(void **state)
{
	struct tree more = tree_new(1);
	u32 time = fake_cpus[0].tlb_time;
	struct pv_vcpu *pv = &current->pv;

	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, nr(more.l4), 0, DOMID_SELF), 0);
	assert_ptr_equal(pv->cr3_kernel, more.l4);
	assert_int_equal(pv->kernel_cr3, nr(more.l4) << PAGE_SHIFT);
	assert_int_equal(fake_cpus[0].hv_cr3, pv->kernel_cr3);
	assert_true(fake_cpus[0].tlb_time != time);
	assert_int_equal(frame_type_count(t.l4), 0); /* the old one is let go */
	time = fake_cpus[0].tlb_time;
	assert_int_equal(ext(MMUEXT_NEW_BASEPTR, nr(more.l4), 0, DOMID_SELF), 0);
	assert_true(fake_cpus[0].tlb_time != time); /* the same again: a flush, as of a CPU */
	assert_int_equal(frame_type_count(more.l4), 1);
	assert_int_equal(ext(MMUEXT_NEW_USER_BASEPTR, nr(more.l4), 0, DOMID_SELF), 0);
	assert_int_equal(pv->user_cr3, pv->kernel_cr3);
	assert_int_equal(ext(MMUEXT_NEW_USER_BASEPTR, nr(t.l4), 0, DOMID_SELF), 0);
	assert_int_equal(frame_type_count(more.l4), 1);
	assert_int_equal(pv->user_cr3, nr(t.l4) << PAGE_SHIFT);
	assert_int_equal(ext(MMUEXT_NEW_USER_BASEPTR, 0, 0, DOMID_SELF), 0);
	assert_null(pv->cr3_user);
	assert_int_equal(pv->user_cr3, 0);
}

/* --- whom it flushes --- */

/* CPU 0 and 1 run both vcpus of domain 1, on the same tables, CPU 2 runs domain 2's. */
static void three_cpus(void)
{
	fake_nr_cpus = 3;
	fake_cpu_id = 1;
	machine_run(FAKE_DOMAINS + 1);
	current->pv.kernel_cr3 = fake_vcpu[1].pv.kernel_cr3;
	fake_cpu_id = 2;
	machine_run(2);
	current->pv.kernel_cr3 = fake_vcpu[1].pv.kernel_cr3;
	machine_run(1);
}

/* What is left of a translation of @page at @va by CPU @cpu, when @flush has run on CPU 0. */
static bool is_kept(unsigned int cpu, u64 va, const struct frame *f, long (*flush)(const void *), const void *arg)
{
	for (fake_cpu_id = 0; fake_cpu_id < 3; fake_cpu_id++)
		tlb_flush_local_all();
	fake_cpu_id = cpu;
	assert_true(guest_touch(va, false));
	fake_cpu_id = 0;
	assert_int_equal(flush(arg), 0);
	return tlb_has(frame_to_mfn(f), false);
}

struct flush {
	unsigned int how; /* operation, or flags of update_va_mapping */
	u64 mask;
	const char *kept; /* of CPU 0 A and B, of CPU 1 A and B, of CPU 2 A: a letter or a dot */
};

static void flushes(const struct flush *f, size_t nr_flushes, long (*flush)(const void *))
{
	for (size_t i = 0; i < nr_flushes; i++) {
		char kept[6] = ".....";

		for (unsigned int k = 0; k < 5; k++)
			if (is_kept(k / 2, k % 2 ? VA_B : VA_A, k % 2 ? other : page, flush, &f[i]))
				kept[k] = k % 2 ? 'B' : 'A';
		if (strcmp(kept, f[i].kept))
			fail_msg("%zu: %s", i, kept);
	}
}

static long ext_flush(const void *arg)
{
	const struct flush *f = arg;

	return ext(f->how, VA_A, (u64)(uintptr_t)&f->mask, DOMID_SELF);
}

static void test_each_flush_reaches_whom_it_names(void **state)
{
	static const struct flush f[] = {
		{ MMUEXT_TLB_FLUSH_LOCAL, 0, "..ABA" }, { MMUEXT_INVLPG_LOCAL, 0, ".BABA" },
		{ MMUEXT_TLB_FLUSH_MULTI, 0, "ABABA" }, { MMUEXT_TLB_FLUSH_MULTI, 1, "..ABA" }, { MMUEXT_TLB_FLUSH_MULTI, 2, "AB..A" },
		{ MMUEXT_TLB_FLUSH_MULTI, ~0ULL, "....A" },
		{ MMUEXT_INVLPG_MULTI, 0, "ABABA" }, { MMUEXT_INVLPG_MULTI, 1, ".BABA" }, { MMUEXT_INVLPG_MULTI, 2, "AB.BA" },
		{ MMUEXT_INVLPG_MULTI, ~0ULL, ".B.BA" }, { MMUEXT_TLB_FLUSH_ALL, 0, "....A" }, { MMUEXT_INVLPG_ALL, 0, ".B.BA" },
	};

	three_cpus();
	d1->vcpu[2] = &fake_vcpu[2]; /* beyond those the domain may have: nobody's */
	flushes(f, ARRAY_SIZE(f), ext_flush);
	d1->vcpu[2] = NULL;
}

static long va_flush(const void *arg)
{
	const struct flush *f = arg;
	u64 where = f->mask == ~0ULL ? UVMF_ALL : f->mask ? (u64)(uintptr_t)&f->mask : UVMF_LOCAL;

	return call(hc_update_va_mapping, VA_A, table_of(t.l1)[3], f->how | where, 0);
}

static void test_an_update_of_an_address_flushes_as_it_says(void **state)
{
	static const struct flush f[] = {
		{ UVMF_NONE, 0, "ABABA" }, { UVMF_NONE, ~0ULL, "ABABA" }, { UVMF_TLB_FLUSH, 0, "..ABA" }, { UVMF_INVLPG, 0, ".BABA" },
		{ UVMF_TLB_FLUSH, ~0ULL, "....A" }, { UVMF_INVLPG, ~0ULL, ".B.BA" }, { UVMF_TLB_FLUSH, 2, "AB..A" },
		{ UVMF_INVLPG, 2, "AB.BA" }, { UVMF_INVLPG, 1, ".BABA" },
	};

	three_cpus();
	flushes(f, ARRAY_SIZE(f), va_flush);
	/* a vcpu on no CPU has nothing to flush */
	fake_cpu_id = 1;
	machine_unload();
	fake_cpu_id = 0;
	assert_int_equal(va_flush(&f[6]), 0);
}

/* --- update_va_mapping --- */

static void test_an_update_by_address_says_why_it_is_refused(void **state)
{
	const u64 entry = entry_to(page, RO);

	assert_int_equal(call(hc_update_va_mapping, VA_A, entry, UVMF_NONE, 0), 0);
	assert_int_equal(table_of(t.l1)[3] & PTE_ADDR_MASK, entry & PTE_ADDR_MASK);
	assert_int_equal(call(hc_update_va_mapping, 512 * PAGE_SIZE, entry, UVMF_NONE, 0), -EINVAL); /* no table */
	assert_int_equal(call(hc_update_va_mapping, BAD_VA, entry, UVMF_NONE, 0), -EINVAL);
	assert_int_equal(call(hc_update_va_mapping, VA_A, entry_to(theirs, RO), UVMF_NONE, 0), -EPERM);
	assert_int_equal(call(hc_update_va_mapping, VA_A, entry, UVMF_TLB_FLUSH | BAD_VA, 0), -EFAULT);
	assert_int_equal(call(hc_update_va_mapping_otherdomain, VA_A, entry, UVMF_NONE, NO_DOMAIN), -ESRCH);
	assert_int_equal(call(hc_update_va_mapping_otherdomain, VA_A, entry, UVMF_NONE, 2), -EPERM);
	assert_int_equal(call(hc_update_va_mapping_otherdomain, VA_A, entry, UVMF_NONE, 1), 0);
	assert_false(t.l1->type & FT_FOREIGN);
	dom0_runs();
	assert_int_equal(call(hc_update_va_mapping_otherdomain, VA_A, entry, UVMF_NONE, 2), -EPERM); /* not that one's */
	assert_int_equal(call(hc_update_va_mapping_otherdomain, VA_A, entry, UVMF_NONE, 1), 0);
	assert_false(t.l1->type & FT_FOREIGN); /* read-only */
	assert_int_equal(call(hc_update_va_mapping_otherdomain, VA_A, entry | PTE_RW, UVMF_NONE, 1), 0);
	assert_true(t.l1->type & FT_FOREIGN);
	assert_int_equal(d1->nr_holds, 0);
	assert_int_equal(call(hc_update_va_mapping_otherdomain, VA_A, 0, UVMF_NONE, 1), 0);
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, audited)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_an_update_says_why_it_is_refused),
		CLAIM(test_a_half_done_table_is_not_written),
		CLAIM(test_who_is_named_must_be_there_and_within_reach),
		CLAIM(test_accessed_and_dirty_are_kept_for_who_asks),
		CLAIM(test_a_bit_that_gives_nothing_changes_without_a_new_reference),
		CLAIM(test_an_exchange_of_another_entry_than_it_saw_changes_nothing),
		CLAIM(test_a_change_of_a_level_4_table_makes_copies_old),
		CLAIM(test_an_entry_is_written_before_what_it_held_is_let_go),
		CLAIM(test_only_a_guests_address_is_walked),
		CLAIM(test_what_is_done_is_counted_to_where_it_stops),
		CLAIM(test_a_stopped_call_names_what_is_left),
		CLAIM(test_what_an_entry_leaves_stops_the_call),
		CLAIM(test_an_extended_operation_says_why_it_is_refused),
		CLAIM(test_pages_written_for_the_guest_are_noted),
		CLAIM(test_base_pointers_are_what_is_walked),
		CLAIM(test_each_flush_reaches_whom_it_names),
		CLAIM(test_an_update_of_an_address_flushes_as_it_says),
		CLAIM(test_an_update_by_address_says_why_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
