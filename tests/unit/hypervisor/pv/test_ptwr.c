/* SPDX-License-Identifier: MIT */
/* test_ptwr.c - stores to a page table that fault: what Linux executes works, and nothing escapes validation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "pv/ptwr.h"

#define L1_VA (2 * PAGE_SIZE) /* where the level-1 table is mapped, read-only, by its own entry 2 */
#define SLOT 5		      /* the entry the stores go to */
#define SLOT_VA (L1_VA + SLOT * 8)

static struct tree t;
static struct frame *page;
static struct cpu_user_regs regs;
static u8 code[32];

static int fresh(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	t = tree_new(1);
	page = frame_new(1);
	table_of(t.l1)[2] = entry_to(t.l1, RO);
	if (install(&t))
		return -1;
	regs = (struct cpu_user_regs){.rip = (u64)(uintptr_t)code, .rdi = SLOT_VA};
	return 0;
}

static int audited(void **state)
{
	unsigned int wrong = audit(NULL, NULL);

	machine_free();
	return wrong != 0;
}

static bool store(const char *bytes, size_t n, u64 va)
{
	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, n);
	regs.rip = (u64)(uintptr_t)code;
	return pv_ptwr_fault(&regs, va);
}
#define STORE(bytes) store(bytes, sizeof(bytes) - 1, SLOT_VA)

static u64 slot(void)
{
	return table_of(t.l1)[SLOT] & ~(PTE_G | PTE_GUEST_KERNEL);
}

static void test_a_plain_move_sets_a_checked_entry(void **state)
{
	regs.rsi = entry_to(page, RW);
	assert_true(STORE("\x48\x89\x37")); /* mov %rsi, (%rdi) */
	assert_int_equal(slot(), entry_to(page, RW));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code + 3);
	assert_int_equal(frame_type_of(page), FT_WR);
}

static void test_a_move_of_a_forbidden_entry_is_the_guests_page_fault(void **state)
{
	regs.rsi = entry_to(t.l2, RW);
	assert_false(STORE("\x48\x89\x37"));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code);
	assert_int_equal(slot(), 0);
	regs.rsi = entry_to(frame_new(2), RO);
	assert_false(STORE("\x48\x89\x37"));
}

static void test_exchange_gives_back_the_old_entry(void **state)
{
	table_of(t.l1)[SLOT] = 0x122; /* not present: content is free */
	regs.rax = entry_to(page, RO);
	assert_true(STORE("\x48\x87\x07")); /* xchg %rax, (%rdi) */
	assert_int_equal(regs.rax, 0x122);
	assert_int_equal(slot(), entry_to(page, RO));
}

static void test_compare_and_exchange_tells_whether_it_stored(void **state)
{
	table_of(t.l1)[SLOT] = 0x100;
	regs.rax = 0x100;
	regs.rcx = entry_to(page, RO);
	assert_true(STORE("\xf0\x48\x0f\xb1\x0f")); /* lock cmpxchg %rcx, (%rdi) */
	assert_true(regs.rflags & 0x40);
	assert_int_equal(slot(), entry_to(page, RO));
	regs.rax = 1;
	assert_true(STORE("\xf0\x48\x0f\xb1\x0f"));
	assert_false(regs.rflags & 0x40);
	assert_int_equal(regs.rax, table_of(t.l1)[SLOT]);
}

static void test_taking_away_a_bit_keeps_the_rest(void **state)
{
	regs.rsi = entry_to(page, RW | PTE_A);
	assert_true(STORE("\x48\x89\x37"));
	assert_true(STORE("\xf0\x80\x27\xfd")); /* lock andb $0xfd, (%rdi): write-protect */
	assert_int_equal(slot(), entry_to(page, RO | PTE_A));
	assert_true(STORE("\xf0\x48\x0f\xba\x37\x05")); /* lock btrq $5, (%rdi): test and clear A */
	assert_true(regs.rflags & 1);
	assert_int_equal(slot(), entry_to(page, RO));
}

static void test_half_an_entry_can_be_stored(void **state)
{
	regs.rsi = 0xaac0;
	assert_true(STORE("\x89\x37")); /* mov %esi, (%rdi) */
	assert_int_equal(slot(), 0xaac0);
	regs.rsi = 0x7;
	assert_true(store("\x89\x77\x04", 3, SLOT_VA + 4)); /* mov %esi, 4(%rdi) */
	assert_int_equal(slot(), 0x70000aac0);
	assert_false(store("\x48\x89\x37", 3, SLOT_VA + 4)); /* eight bytes across two entries */
}

static void test_only_level_1_tables_of_the_domain_are_stored_to(void **state)
{
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(t.l2, RO), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 4), entry_to(page, RO), DOMID_SELF), 0);
	regs.rsi = 0;
	assert_false(store("\x48\x89\x37", 3, 3 * PAGE_SIZE)); /* a level-2 table */
	assert_false(store("\x48\x89\x37", 3, 4 * PAGE_SIZE)); /* plain memory, mapped read-only */
	assert_false(store("\x48\x89\x37", 3, 9 * PAGE_SIZE)); /* nothing there */
	assert_false(STORE("\x48\x01\x37"));		       /* add: nobody does that */
	assert_false(STORE("\x48\x89\xf7"));		       /* a register, not memory */
}

/*
 * A level-2 table is unlinked and its end is put off. Until then its level-1 table still holds what
 * it maps: a store to that table must not drop the same references once more.
 */
static void test_a_store_finishes_deferred_work_before_it_looks(void **state)
{
	struct frame *l2 = frame_new(1), *table = frame_new(1), *other = frame_new(1);

	table_of(table)[SLOT] = entry_to(page, RW);
	table_of(l2)[0] = entry_to(table, RW);
	table_of(l2)[1] = entry_to(other, RW);
	assert_int_equal(update(maddr_of(t.l3, 1), entry_to(l2, RW), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(table, RO), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 4), entry_to(page, RW), DOMID_SELF), 0);
	assert_int_equal(frame_type_count(page), 2);
	machine_preempt(1);
	assert_int_equal(update(maddr_of(t.l3, 1), 0, DOMID_SELF), 0);
	assert_int_equal(current->pv.nr_deferred, 1);
	machine_preempt(0);

	regs.rdi = 3 * PAGE_SIZE + SLOT * 8;
	regs.rsi = 0;
	assert_false(store("\x48\x89\x37", 3, regs.rdi)); /* it is no table any more */
	assert_int_equal(frame_type_count(page), 1);
	assert_int_not_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
}

/* Preempted in what is put off, the store is not done, and the instruction runs again. */
static void test_a_store_waits_for_deferred_work(void **state)
{
	struct frame *l2 = frame_new(1);

	for (unsigned int i = 0; i < 4; i++)
		table_of(l2)[i] = entry_to(frame_new(1), RW);
	assert_int_equal(update(maddr_of(t.l3, 1), entry_to(l2, RW), DOMID_SELF), 0);
	machine_preempt(1);
	assert_int_equal(update(maddr_of(t.l3, 1), 0, DOMID_SELF), 0);
	regs.rsi = entry_to(page, RW);
	assert_true(STORE("\x48\x89\x37"));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code);
	assert_int_equal(slot(), 0);
	machine_preempt(0);
	assert_true(STORE("\x48\x89\x37"));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code + 3);
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, audited)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_plain_move_sets_a_checked_entry),
		CLAIM(test_a_move_of_a_forbidden_entry_is_the_guests_page_fault),
		CLAIM(test_exchange_gives_back_the_old_entry),
		CLAIM(test_compare_and_exchange_tells_whether_it_stored),
		CLAIM(test_taking_away_a_bit_keeps_the_rest),
		CLAIM(test_half_an_entry_can_be_stored),
		CLAIM(test_only_level_1_tables_of_the_domain_are_stored_to),
		CLAIM(test_a_store_finishes_deferred_work_before_it_looks),
		CLAIM(test_a_store_waits_for_deferred_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
