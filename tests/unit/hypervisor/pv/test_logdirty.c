/* SPDX-License-Identifier: MIT */
/* Claims about log-dirty mode: what is told, what the guest sees of it, and what it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "guest.h"

#include <cmocka.h>

#include "mm/page_alloc.h"
#include "pv/logdirty.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/tlb.h"

#define PAGES 512
#define NR_L1 140 /* level-1 tables: more than the pool has shadows */
#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_FETCH 16u

static struct domain *d1 = &fake_domain[1];
static struct tree t;
static struct frame *page[3]; /* at 0, 0x1000 (read-only), 0x2000; their pfns are 0, 1, 2 */
static u8 told[PAGES / 8] __attribute__((aligned(PAGES / 8)));
static struct logdirty_report report;

static int setup(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	t = tree_new(1);
	for (unsigned int i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = frame_new(1);
		m2p_set(frame_to_mfn(page[i]), i);
		table_of(t.l1)[i] = entry_to(page[i], i == 1 ? RO : RW);
	}
	return install(&t);
}

static int teardown(void **state)
{
	fake_unmapped = 0;
	d1->is_dying = false;
	assert_int_equal(audit(NULL, NULL), 0);
	assert_int_equal(logdirty_end(d1), 0); /* the heap's own lists outlive the machine */
	machine_free();
	return 0;
}

static void dom0_does(int (*fn)(struct domain *d))
{
	int rc;

	machine_run(0);
	do {
		rc = fn(d1);
	} while (rc == -ERESTART);
	assert_int_equal(rc, 0);
	machine_run(1);
}

static int ask(bool is_clean)
{
	int rc;

	machine_run(0);
	memset(told, 0xff, sizeof(told));
	report = (struct logdirty_report){ .bitmap = (u64)(uintptr_t)told, .nr_pages = PAGES };
	do {
		rc = logdirty_report(d1, &report, is_clean);
	} while (rc == -ERESTART);
	machine_run(1);
	return rc;
}

static bool is_told(unsigned int pfn)
{
	return told[pfn / 8] >> pfn % 8 & 1;
}

static void clean(void)
{
	unsigned int lines = 10;

	assert_int_equal(ask(true), 0);
	assert_int_equal(shadow_audit(d1, &lines), 0);
}

static void begin(void)
{
	dom0_does(logdirty_enable);
}

/* As the CPU does. False: the fault is the guest's own. */
static bool touch(u64 va, bool write)
{
	while (!guest_touch(va, write)) {
		u32 code = write ? PF_WRITE : 0;

		if (!shadow_fault(va, &code))
			return false;
	}
	return true;
}

/*
 * In the record of what is no table, there is something else where a table has its shadow: when it
 * was last mapped.
 */
static void test_only_tables_are_noted_as_such(void **state)
{
	u32 type, stamp;

	for (int i = 0; i < 10; i++)
		tlb_flush_local_all();
	assert_int_equal(update(maddr_of(t.l1, 2), 0, DOMID_SELF), 0);
	type = page[2]->type;
	stamp = page[2]->stamp;
	assert_true(stamp > 5);
	begin();
	assert_int_equal(page[2]->type, type);
	assert_int_equal(page[2]->stamp, stamp);
	assert_int_equal(page[0]->type & FT_LOGGED, 0);
	assert_int_equal(t.l1->type & FT_LOGGED, FT_LOGGED);
}

/* By the guest's own tables, whatever the CPU's code says of what it walks. */
static void test_a_page_fault_is_the_guests_own_or_is_answered(void **state)
{
	static u64 stack[32] __attribute__((aligned(16)));
	const u64 handler = 0x500000, rip = 0x400000;
	struct cpu_user_regs *regs = guest_regs();

	current->pv.trap[14].address = handler;
	current->pv.kernel_sp = (u64)(uintptr_t)&stack[32];
	begin();
	for (unsigned int i = 0; i < 4; i++) {
		const bool is_mapped = i < ARRAY_SIZE(page);

		*regs = (struct cpu_user_regs){ .rip = rip, .rsp = (u64)(uintptr_t)&stack[30], .entry_vector = 14 };
		fake_cpu.cr2 = i * PAGE_SIZE;
		pv_trap(regs);
		assert_int_equal(regs->rip, is_mapped ? rip : handler);
		assert_int_equal(guest_touch(i * PAGE_SIZE, false), is_mapped);
	}
}

static void test_what_is_written_is_told_once(void **state)
{
	begin();
	clean();
	assert_false(is_told(0));
	assert_true(touch(0, true));
	assert_int_equal(ask(false), 0);
	assert_true(is_told(0));
	clean();
	assert_true(is_told(0));
	assert_false(is_told(1) || is_told(2));
	clean();
	assert_false(is_told(0));
	assert_true(touch(0, true));
	clean();
	assert_true(is_told(0));
}

/*
 * What is only read stays read-only until it is written, whatever was noted of the frame by another
 * mapping and whatever the entry says of writes before: else the guest's D or the note is missing.
 */
static void test_after_a_read_a_write_is_seen_by_both(void **state)
{
	begin();
	assert_true(touch(0, true));
	clean();
	assert_true(touch(0, false)); /* D is there, the note is not */
	assert_false(guest_touch(0, true));
	assert_true(touch(0, true));
	clean();
	assert_true(is_told(0));

	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page[0], RW), DOMID_SELF), 0);
	assert_true(touch(0x3000, true));
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page[0], RW), DOMID_SELF), 0);
	tlb_flush_local_all();
	assert_true(touch(0, false)); /* the note is there, D is not */
	assert_false(guest_touch(0, true));
	assert_true(touch(0, true));
	assert_int_equal(table_of(t.l1)[0] & PTE_D, PTE_D);
}

static void test_what_is_read_is_not_told(void **state)
{
	begin();
	assert_true(touch(0, false));
	assert_true(touch(0x1000, false));
	clean();
	assert_false(is_told(0) || is_told(1));
}

/*
 * A and D come to its entries as from an MMU; RW and D stay there when the right to write is
 * withdrawn.
 */
static void test_the_guest_sees_its_own_tables(void **state)
{
	begin();
	assert_int_equal(table_of(t.l1)[0], entry_to(page[0], RW) | PTE_G);
	assert_true(touch(0, false));
	assert_int_equal(table_of(t.l1)[0], entry_to(page[0], RW | PTE_A) | PTE_G);
	assert_true(touch(0, true));
	assert_int_equal(table_of(t.l1)[0], entry_to(page[0], RW | PTE_A | PTE_D) | PTE_G);
	assert_int_equal(table_of(t.l2)[0] & (PTE_A | PTE_RW), PTE_A | PTE_RW);
	clean();
	assert_int_equal(table_of(t.l1)[0], entry_to(page[0], RW | PTE_A | PTE_D) | PTE_G);
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page[0], RW), DOMID_SELF), 0);
	assert_true(touch(0, true));
	assert_int_equal(table_of(t.l1)[0] & (PTE_A | PTE_D), PTE_A | PTE_D);
}

/* The frame of a table is a page, too: bits that come, entries that change. */
static void test_tables_that_change_are_told(void **state)
{
	m2p_set(frame_to_mfn(t.l1), 7);
	m2p_set(frame_to_mfn(t.l2), 8);
	begin();
	assert_true(touch(0, false));
	clean();
	assert_true(is_told(7) && is_told(8));
	assert_true(touch(0, false));
	clean();
	assert_false(is_told(7) || is_told(8));
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(page[2], RW), DOMID_SELF), 0);
	clean();
	assert_true(is_told(7));
	assert_false(is_told(8));
}

static void test_a_changed_entry_is_what_the_cpu_walks(void **state)
{
	begin();
	assert_true(touch(0, true));
	assert_int_equal(update(maddr_of(t.l1, 0), entry_to(page[2], RO), DOMID_SELF), 0);
	tlb_flush_local_all();
	assert_false(touch(0, true));
	assert_true(touch(0, false));
	assert_true(tlb_has(frame_to_mfn(page[2]), false));
	assert_false(tlb_has(frame_to_mfn(page[0]), false));
	assert_int_equal(update(maddr_of(t.l2, 0), 0, DOMID_SELF), 0);
	tlb_flush_local_all();
	assert_false(touch(0, false));
}

/* What the CPU says of a shadow that is empty is not what it would say of the guest's tables. */
static void test_a_fault_of_the_guests_own_says_what_its_tables_say(void **state)
{
	u32 code = PF_WRITE;

	begin();
	assert_false(shadow_fault(0x1000, &code));
	assert_int_equal(code, PF_WRITE | PF_PRESENT);
	code = PF_WRITE;
	assert_false(shadow_fault(0x5000, &code));
	assert_int_equal(code, PF_WRITE);
	assert_int_equal(update(maddr_of(t.l1, 2), entry_to(page[2], RW | PTE_NX), DOMID_SELF), 0);
	code = PF_FETCH;
	assert_false(shadow_fault(0x2000, &code));
	assert_int_equal(code, PF_FETCH | PF_PRESENT);
	assert_false(pv_fixup_copy_fault(HV_HOLE_START, 0));
	assert_true(pv_fixup_copy_fault(0, PF_WRITE));
}

static void test_outside_the_mode_a_fault_is_the_guests_own(void **state)
{
	assert_int_equal(current->pv.fault_range, GUEST_VA_SIZE);
	assert_false(pv_fixup_copy_fault(0, PF_WRITE));
	begin();
	assert_int_equal(current->pv.fault_range, 0);
	dom0_does(logdirty_disable);
	assert_int_equal(current->pv.fault_range, GUEST_VA_SIZE);
	assert_int_equal(current->pv.kernel_cr3, maddr_of(t.l4, 0));
	assert_true(guest_touch(0, true));
}

static void test_a_page_that_others_can_write_is_told_as_long_as_they_can(void **state)
{
	u64 *behind, kept;
	struct tree own;

	machine_run(0);
	own = tree_new(0);
	assert_int_equal(install(&own), 0);
	begin();
	machine_run(0);
	assert_int_equal(update(maddr_of(own.l1, 0), entry_to(page[0], RW), 1), 0);
	assert_int_equal(update(maddr_of(own.l1, 1), entry_to(page[2], RO), 1), 0);
	behind = table_of(own.l1) + PT_ENTRIES; /* whatever page that is, it is not the table */
	kept = *behind;
	*behind = entry_to(page[2], RW);
	for (unsigned int i = 0; i < 3; i++) {
		clean();
		assert_true(is_told(0));
		assert_false(is_told(2));
	}
	*behind = kept;
	machine_run(0);
	assert_int_equal(update(maddr_of(own.l1, 0), 0, DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(own.l1, 1), 0, DOMID_SELF), 0);
	clean();
	assert_true(is_told(0));
	assert_false(is_told(2));
	clean();
	assert_false(is_told(0));
	assert_int_equal(own.l1->type & FT_FOREIGN, 0); /* nobody looks through it any more */
}

/*
 * GNTTABOP_unmap_and_replace puts an entry into another table, which had none of another domain's.
 */
static void test_a_foreign_mapping_that_moves_is_told_all_the_same(void **state)
{
	const u64 at = 2UL << 20;
	struct frame *other;
	struct tree own;
	mfn_t granted;

	machine_run(0);
	own = tree_new(0);
	other = frame_new(0);
	table_of(own.l2)[1] = entry_to(other, RW);
	assert_int_equal(install(&own), 0);
	granted = frame_to_mfn(frame_new(2));
	assert_int_equal(update(maddr_of(own.l1, 1), entry_to(page[0], RW), 1), 0);
	assert_int_equal(pv_grant_map_pte(at, GNTMAP_host_map, granted), 0);
	begin();
	machine_run(0);
	assert_int_equal(pv_grant_unmap_pte(at, PAGE_SIZE, GNTMAP_host_map, granted), 0);
	for (unsigned int i = 0; i < 3; i++) {
		clean();
		assert_true(is_told(0));
	}
	machine_run(0);
	assert_int_equal(update(maddr_of(other, 0), 0, DOMID_SELF), 0);
	clean();
	assert_true(is_told(0));
	clean();
	assert_false(is_told(0));
}

/* dom0 writes a page of the guest's, lets go of it, and its CPU remembers the mapping. */
static void dom0_writes_and_lets_go(struct frame *l1)
{
	assert_int_equal(update(maddr_of(l1, 0), entry_to(page[0], RW), 1), 0);
	assert_true(guest_touch(0, true));
	assert_int_equal(update(maddr_of(l1, 0), 0, DOMID_SELF), 0);
	assert_true(tlb_has(frame_to_mfn(page[0]), true));
}

/* What a mapping's end has told is forgotten only when no CPU can write by it any more. */
static void test_before_writes_are_forgotten_nobody_remembers_a_mapping(void **state)
{
	struct tree own;

	machine_run(0);
	own = tree_new(0);
	assert_int_equal(install(&own), 0);
	dom0_writes_and_lets_go(own.l1);
	d1->vcpu[0]->pv.cr3_kernel = NULL; /* no table is made for it, which flushes, too */
	assert_int_equal(logdirty_enable(d1), 0);
	assert_false(tlb_has(frame_to_mfn(page[0]), true));
	d1->vcpu[0]->pv.cr3_kernel = t.l4;
	dom0_writes_and_lets_go(own.l1);
	report = (struct logdirty_report){ 0 };
	assert_int_equal(logdirty_report(d1, &report, false), 0);
	assert_true(tlb_has(frame_to_mfn(page[0]), true)); /* nothing was forgotten: nobody is disturbed */
	assert_int_equal(logdirty_report(d1, &report, true), 0);
	assert_false(tlb_has(frame_to_mfn(page[0]), true));
	machine_run(1);
}

static void test_a_frame_that_becomes_another_page_is_told_as_that(void **state)
{
	struct frame *new;

	begin();
	assert_true(touch(0, true));
	assert_int_equal(update((maddr_of(page[0], 0) & ~3ULL) | MMU_MACHPHYS_UPDATE, 300, DOMID_SELF), 0);
	clean();
	assert_true(is_told(300));
	assert_int_equal(update(maddr_of(page[2], 0) | MMU_MACHPHYS_UPDATE, 301, DOMID_SELF), 0);
	new = frame_new(1);
	m2p_set(frame_to_mfn(new), 302);
	clean();
	assert_true(is_told(301) && is_told(302));
	assert_int_equal(report.dirty_count, 2);
}

static void test_pages_beyond_the_bitmap_are_not_forgotten(void **state)
{
	begin();
	m2p_set(frame_to_mfn(page[0]), PAGES);
	clean();
	m2p_set(frame_to_mfn(page[0]), 0);
	clean();
	assert_true(is_told(0));
}

static void test_after_a_lost_answer_everything_is_told(void **state)
{
	begin();
	clean();
	assert_true(touch(0, true));
	machine_preempt(1);
	report = (struct logdirty_report){ .bitmap = (u64)(uintptr_t)told, .nr_pages = PAGES };
	/*
	 * it could be cleared, and then not be written: as when dom0 takes its buffer away
	 * meanwhile
	 */
	machine_run(0);
	while (logdirty_report(d1, &report, true) == -ERESTART)
		if (d1->pv.log->step > 0)
			fake_unmapped = (u64)(uintptr_t)told & ~PAGE_OFFSET_MASK;
	assert_int_not_equal(fake_unmapped, 0);
	fake_unmapped = 0;
	machine_preempt(0);
	clean();
	assert_true(is_told(0) && is_told(1) && is_told(2));
	clean();
	assert_false(is_told(0) || is_told(1) || is_told(2));
}

static void test_a_bitmap_that_cannot_be_written_loses_nothing(void **state)
{
	begin();
	clean();
	assert_true(touch(0, true));
	fake_unmapped = (u64)(uintptr_t)told & ~PAGE_OFFSET_MASK;
	machine_run(0);
	report = (struct logdirty_report){ .bitmap = (u64)(uintptr_t)told, .nr_pages = PAGES };
	assert_int_equal(logdirty_report(d1, &report, true), -EFAULT);
	assert_int_equal(d1->pause_count, 0);
	fake_unmapped = 0;
	clean();
	assert_true(is_told(0));
}

/* Of 100 pages it has 13 bytes; those behind may be nobody's. */
static void test_an_answer_ends_with_its_last_byte(void **state)
{
	static u8 pages[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	u8 *bitmap = pages + PAGE_SIZE - 13;

	m2p_set(frame_to_mfn(page[0]), 99);
	begin();
	assert_true(touch(0, true));
	fake_unmapped = (u64)(uintptr_t)(pages + PAGE_SIZE);
	machine_run(0);
	report = (struct logdirty_report){ .bitmap = (u64)(uintptr_t)bitmap, .nr_pages = 100 };
	assert_int_equal(logdirty_report(d1, &report, false), 0);
	assert_int_equal(bitmap[99 / 8] >> 99 % 8 & 1, 1);
	machine_run(1);
}

static void test_without_a_bitmap_only_the_count_is_told(void **state)
{
	begin();
	assert_true(touch(0, true));
	report = (struct logdirty_report){ 0 };
	machine_run(0);
	assert_int_equal(logdirty_report(d1, &report, false), 0);
	assert_true(report.dirty_count >= 1);
	assert_int_equal(logdirty_report(d1, &report, true), 0);
	assert_true(report.fault_count >= 1);
	assert_int_equal(logdirty_report(d1, &report, false), 0);
	assert_int_equal(report.dirty_count, 0);
	assert_int_equal(report.fault_count, 0);
}

static struct frame *pinned_l4(void)
{
	struct frame *l4 = frame_new(1);

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, l4), 0);
	return l4;
}

/*
 * What was sent as data and is a table now, or was a table, is to be sent again, though nobody wrote
 * it: what it holds are mfns, which a stream has as pfns in a table alone. So is one whose pin, which
 * a stream has too, comes or goes.
 */
static void test_a_frame_that_becomes_another_kind_is_told(void **state)
{
	struct frame *l1 = frame_new(1);

	m2p_set(frame_to_mfn(l1), 7);
	begin();
	clean();
	assert_false(is_told(7));
	assert_int_equal(update(maddr_of(t.l2, 1), entry_to(l1, RW), DOMID_SELF), 0);
	clean();
	assert_true(is_told(7));
	clean();
	assert_false(is_told(7));
	assert_int_equal(mmuext(MMUEXT_PIN_L1_TABLE, l1), 0);
	clean();
	assert_true(is_told(7));
	assert_int_equal(mmuext(MMUEXT_UNPIN_TABLE, l1), 0);
	clean();
	assert_true(is_told(7));
	assert_int_equal(update(maddr_of(t.l2, 1), 0, DOMID_SELF), 0);
	clean();
	assert_true(is_told(7));
	clean();
	assert_false(is_told(7));
}

/*
 * A guest with more tables than there are shadows: each page it writes is told all the same, and
 * nothing more is allocated.
 */
static void test_a_full_pool_drops_shadows_and_no_write(void **state)
{
	u64 free;

	d1->max_pages = 1000;
	for (unsigned int i = 1; i < NR_L1; i++) {
		struct frame *l1 = frame_new(1), *f = frame_new(1);

		m2p_set(frame_to_mfn(f), 10 + i);
		table_of(l1)[0] = entry_to(f, RW);
		assert_int_equal(update(maddr_of(t.l2, i), entry_to(l1, RW), DOMID_SELF), 0);
	}
	begin();
	assert_true(NR_L1 > logdirty_nr_pages(d1));
	clean();
	free = page_alloc_free_frames();
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 1; i < NR_L1; i++) {
			assert_true(touch((u64)i << 21, true));
			assert_in_range(d1->pv.log->pool->nr_free, 0, d1->pv.log->pool->nr); /* none but its own */
		}
		assert_int_equal(page_alloc_free_frames(), free);
		clean();
		for (unsigned int i = 1; i < NR_L1; i++)
			assert_true(is_told(10 + i));
	}
}

/*
 * Room for the new tables' shadow is not made by taking the page that the CPU walks until they are
 * loaded.
 */
static void test_what_the_cpu_walks_is_not_made_anew_for_its_next_tables(void **state)
{
	struct frame *next = pinned_l4();
	u64 loaded;

	d1->max_pages = 1000;
	begin();
	loaded = current->pv.kernel_cr3;
	while (d1->pv.log->pool->nr_free)
		assert_int_equal(mmuext(MMUEXT_NEW_USER_BASEPTR, pinned_l4()), 0);
	assert_int_equal(mmuext(MMUEXT_NEW_BASEPTR, next), 0);
	assert_ptr_equal(current->pv.cr3_kernel, next);
	assert_int_not_equal(current->pv.kernel_cr3, loaded);
	clean();
}

/* A table's shadow is another's when its turn comes; a CPU may remember what it led to. */
static void test_a_shadow_that_is_another_tables_next_is_remembered_by_no_cpu(void **state)
{
	struct frame *next[160];
	u32 nr;

	d1->max_pages = 1000;
	for (unsigned int i = 0; i < ARRAY_SIZE(next); i++)
		next[i] = pinned_l4();
	begin();
	tlb_flush_local_all(); /* nobody remembers what the pool's pages were before */
	assert_true(touch(0, true));
	assert_int_equal(update(maddr_of(t.l2, 0), 0, DOMID_SELF), 0);
	nr = d1->pv.log->pool->nr_free;
	assert_in_range(nr, 2, ARRAY_SIZE(next));
	for (u32 i = 0; i < nr; i++) {
		assert_true(tlb_has(frame_to_mfn(page[0]), true));
		shadow_of_l4(d1, next[i]);
	}
	assert_int_equal(d1->pv.log->pool->nr_free, 0);
	assert_false(tlb_has(frame_to_mfn(page[0]), false));
}

static void test_the_mode_gives_back_all_it_took(void **state)
{
	u64 free = page_alloc_free_frames();

	machine_preempt(2);
	for (unsigned int i = 0; i < 3; i++) {
		begin();
		assert_int_equal(logdirty_nr_pages(d1), 2 * SHADOWS_PER_VCPU);
		assert_true(touch(0, true));
		clean();
		assert_true(is_told(0));
		dom0_does(logdirty_disable);
		assert_int_equal(logdirty_nr_pages(d1), 0);
		assert_int_equal(d1->pause_count, 0);
		assert_int_equal(page_alloc_free_frames(), free);
		assert_int_equal((t.l1->type | t.l2->type | t.l3->type | t.l4->type) & FT_LOGGED, 0);
	}
	machine_preempt(0);
}

/* A domain's end: nothing it still does may lead into a shadow that is gone, or make one. */
static void test_the_mode_is_off_before_its_first_page_goes(void **state)
{
	unsigned int steps = 0;

	begin();
	machine_run(0);
	machine_preempt(1);
	while (logdirty_end(d1) == -ERESTART) {
		assert_false(d1->pv.log->is_on);
		steps++;
	}
	assert_true(steps > 0);
	assert_null(d1->pv.log);
	machine_preempt(0);
	machine_run(1);
}

/* As many lines as it may, and each mistake counted. */
static void test_the_audit_says_what_is_wrong_as_often_as_it_may(void **state)
{
	struct shadow_pool *pool;
	unsigned int lines = 1;
	u64 *shadow;

	begin();
	pool = d1->pv.log->pool;
	assert_true(touch(0, true));
	shadow = mfn_to_virt(_mfn(current->pv.kernel_cr3 >> PAGE_SHIFT));
	shadow[0] ^= PTE_NX;
	assert_int_equal(shadow_audit(d1, &lines), 1);
	assert_int_equal(lines, 0);
	assert_int_equal(shadow_audit(d1, &lines), 1);
	assert_int_equal(lines, 0);
	shadow[0] ^= PTE_NX;
	assert_int_equal(shadow_audit(d1, &lines), 0);
	for (u32 i = 1; i <= pool->nr; i += pool->nr - 1) { /* the first and the last */
		const u32 kept = pool->shadow[i].original;

		pool->shadow[i].original = (u32)mfn_x(frame_to_mfn(page[0])); /* no table */
		assert_int_equal(shadow_audit(d1, &lines), 1);
		pool->shadow[i].original = kept;
	}
	assert_int_equal(shadow_audit(d1, &lines), 0);
}

static void test_without_memory_the_mode_is_refused(void **state)
{
	unsigned int nr = 0;
	static void *taken[FAKE_FRAMES];

	machine_run(0);
	while ((taken[nr] = xen_pages_alloc(0)))
		nr++;
	for (unsigned int left = 0; left < 2 * SHADOWS_PER_VCPU; left++) {
		xen_pages_free(taken[--nr], 0);
		if (left == 4 || left == 2 * SHADOWS_PER_VCPU - 1)
			assert_int_equal(logdirty_enable(d1), -ENOMEM); /* at once; with the last pages, which its lists take */
	}
	assert_null(d1->pv.log);
	assert_int_equal(d1->pause_count, 0);
	while (nr)
		xen_pages_free(taken[--nr], 0);
	machine_run(1);
	begin();
}

static void test_operations_wait_for_each_other(void **state)
{
	machine_run(0);
	assert_int_equal(logdirty_report(d1, &report, true), -EINVAL);
	assert_int_equal(logdirty_disable(d1), 0);
	begin();
	machine_run(0);
	assert_int_equal(logdirty_enable(d1), -EINVAL);
	d1->pv.log->op = LOGDIRTY_CLEAN;
	assert_int_equal(logdirty_report(d1, &report, false), -EBUSY);
	assert_int_equal(logdirty_enable(d1), -EBUSY);
	assert_int_equal(logdirty_disable(d1), -EBUSY);
	d1->pv.log->op = LOGDIRTY_IDLE;
	d1->is_dying = true;
	assert_int_equal(logdirty_report(d1, &report, true), -EINVAL);
	assert_int_equal(logdirty_disable(d1), 0);
	d1->is_dying = false;
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_only_tables_are_noted_as_such),
		T(test_a_page_fault_is_the_guests_own_or_is_answered),
		T(test_what_is_written_is_told_once),
		T(test_what_is_read_is_not_told),
		T(test_after_a_read_a_write_is_seen_by_both),
		T(test_the_guest_sees_its_own_tables),
		T(test_tables_that_change_are_told),
		T(test_a_changed_entry_is_what_the_cpu_walks),
		T(test_a_fault_of_the_guests_own_says_what_its_tables_say),
		T(test_outside_the_mode_a_fault_is_the_guests_own),
		T(test_a_page_that_others_can_write_is_told_as_long_as_they_can),
		T(test_a_foreign_mapping_that_moves_is_told_all_the_same),
		T(test_before_writes_are_forgotten_nobody_remembers_a_mapping),
		T(test_a_frame_that_becomes_another_page_is_told_as_that),
		T(test_pages_beyond_the_bitmap_are_not_forgotten),
		T(test_after_a_lost_answer_everything_is_told),
		T(test_a_bitmap_that_cannot_be_written_loses_nothing),
		T(test_an_answer_ends_with_its_last_byte),
		T(test_without_a_bitmap_only_the_count_is_told),
		T(test_a_frame_that_becomes_another_kind_is_told),
		T(test_a_full_pool_drops_shadows_and_no_write),
		T(test_what_the_cpu_walks_is_not_made_anew_for_its_next_tables),
		T(test_a_shadow_that_is_another_tables_next_is_remembered_by_no_cpu),
		T(test_the_mode_gives_back_all_it_took),
		T(test_the_mode_is_off_before_its_first_page_goes),
		T(test_the_audit_says_what_is_wrong_as_often_as_it_may),
		T(test_without_memory_the_mode_is_refused),
		T(test_operations_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
