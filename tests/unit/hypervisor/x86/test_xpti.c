/* SPDX-License-Identifier: MIT */
/*
 * test_xpti.c - the tables of guests where there is Meltdown: copies of level-4 entries, which get
 * old, and whose age is nobody's fault but that of who runs on them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "x86/desc.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/pte.h"
#include "x86/xpti.h"

#define VA(slot) ((u64)(slot) << 39)
#define KERNEL_VA 0xffffffff81000000ULL
#define KERNEL_SLOT 511

unsigned char *fake_ram;
u8 entry_text_start[1], entry_text_end[1], cpu_stack[1];

/* Pages of the fake RAM: what is taken for copies, then tables of guests. */
#define NR_PAGES 16
#define NR_TABLES 7 /* more than there are copies */
static unsigned int nr_taken, nr_pages;
static u64 *tables[NR_TABLES], *own, *other;
#define ENTRY_SLOT 262 /* of what an entry touches */
#define ENTRY (0x9000 | PTE_P)

static u64 *page(unsigned int nr)
{
	return (u64 *)(fake_ram + nr * PAGE_SIZE);
}

void *pt_page(void)
{
	return nr_taken < nr_pages ? page(nr_taken++) : NULL;
}

/* What the guest runs on. */
static const u64 *copy(void)
{
	return maddr_to_virt(fake_cpus[0].guest_cr3);
}

static void leave_with(const u64 *l4)
{
	fake_cpus[0].hv_cr3 = virt_to_maddr(l4);
	xpti_before_guest();
}

bool pt_map_in(u64 *l4, unsigned long va, maddr_t ma, u64 len, u64 flags)
{
	return true;
}

bool pt_lookup(unsigned long va, maddr_t *ma)
{
	return true;
}

bool desc_map_entry(unsigned int cpu, u64 *l4, bool (*map)(u64 *l4, unsigned long va, size_t len))
{
	l4[ENTRY_SLOT] = ENTRY;
	return true;
}

void hv_panic(const char *fmt, ...)
{
	abort();
}

static int fresh(void **state)
{
	free(fake_ram);
	fake_ram = aligned_alloc(PAGE_SIZE, NR_PAGES * PAGE_SIZE);
	memset(fake_ram, 0, NR_PAGES * PAGE_SIZE);
	nr_taken = 0;
	nr_pages = NR_PAGES - NR_TABLES;
	for (unsigned int i = 0; i < NR_TABLES; i++) {
		tables[i] = page(NR_PAGES - NR_TABLES + i);
		tables[i][2] = (u64)i << 12 | PTE_P;
	}
	own = tables[0];
	other = tables[1];
	own[1] = own[HV_L4_FIRST] = own[PERDOMAIN_L4_SLOT] = own[KERNEL_SLOT] = 0x1000 | PTE_P;
	own[HV_L4_LAST] = own[261] = 0x2000 | PTE_P;
	fake_cpu_id = 0;
	xpti_init(true);
	xpti_l4_changed(); /* the test before had tables of the same addresses */
	leave_with(own);
	return 0;
}

static void test_the_copy_has_the_guests_entries_and_none_of_the_hypervisors(void **state)
{
	assert_int_equal(copy()[1], own[1]);
	assert_int_equal(copy()[KERNEL_SLOT], own[KERNEL_SLOT]);
	assert_int_equal(copy()[HV_L4_FIRST], own[HV_L4_FIRST]); /* the M2P, for reading */
	assert_int_equal(copy()[PERDOMAIN_L4_SLOT], own[PERDOMAIN_L4_SLOT]);
	assert_int_equal(copy()[ENTRY_SLOT], ENTRY); /* its own of what it needs to come in */
	assert_int_equal(copy()[261], 0);
	assert_int_equal(copy()[HV_L4_LAST], 0);
}

static void test_a_guests_fault_is_its_own_whatever_others_change(void **state)
{
	for (int i = 0; i < 3; i++) {
		other[7] = PTE_P | (u64)i << 12;
		xpti_l4_changed();
		assert_false(xpti_fault_is_stale(VA(1)));
		assert_false(xpti_fault_is_stale(VA(7)));
		assert_false(xpti_fault_is_stale(KERNEL_VA));
	}
}

static void test_what_the_tables_have_now_is_tried_again_once(void **state)
{
	own[7] = 0x3000 | PTE_P;
	xpti_l4_changed();
	assert_false(xpti_fault_is_stale(VA(1)));
	assert_true(xpti_fault_is_stale(VA(7) + 0x12345));

	xpti_before_guest();

	assert_int_equal(copy()[7], own[7]);
	assert_false(xpti_fault_is_stale(VA(7) + 0x12345));
}

/* Who changes the table on another CPU may count before it stores. */
static void test_a_copy_that_was_made_too_early_is_made_again(void **state)
{
	xpti_l4_changed();
	xpti_before_guest();
	own[7] = 0x3000 | PTE_P;
	assert_true(xpti_fault_is_stale(VA(7)));
	xpti_before_guest();
	assert_int_equal(copy()[7], own[7]);
}

static void test_what_the_processor_notes_is_no_difference(void **state)
{
	((u64 *)copy())[1] |= PTE_A;
	assert_false(xpti_fault_is_stale(VA(1)));
	own[KERNEL_SLOT] |= PTE_A;
	assert_false(xpti_fault_is_stale(KERNEL_VA));
}

static void test_the_hypervisors_own_addresses_are_never_tried_again(void **state)
{
	xpti_l4_changed();
	assert_false(xpti_fault_is_stale(IMAGE_START));
	assert_false(xpti_fault_is_stale(VA(HV_L4_LAST) | 0xffff000000000000ULL));
}

static void test_another_tables_entries_come_with_the_switch(void **state)
{
	other[9] = 0x4000 | PTE_P;
	leave_with(other);
	assert_int_equal(copy()[9], other[9]);
	assert_int_equal(copy()[1], 0);
	assert_int_equal(copy()[ENTRY_SLOT], ENTRY);
	assert_int_equal(copy()[261], 0);
}

/* A system call changes tables twice; that nothing was copied shows in what was not counted. */
static void test_tables_that_take_turns_are_copied_once(void **state)
{
	const u64 *first = copy();

	for (unsigned int i = 1; i < 4; i++)
		leave_with(tables[i]);
	own[7] = 0x3000 | PTE_P;
	leave_with(own);
	assert_ptr_equal(copy(), first);
	assert_int_equal(copy()[7], 0);
	/* and it is tried again whose copy it is */
	assert_true(xpti_fault_is_stale(VA(7)));
	leave_with(other);
	leave_with(own);
	assert_int_equal(copy()[7], own[7]);
}

static void test_a_change_makes_the_copies_stale_that_are_not_in_use(void **state)
{
	leave_with(other);
	own[1] = 0;
	xpti_l4_changed();
	leave_with(own);
	assert_int_equal(copy()[1], 0);
	other[2] = 0;
	xpti_l4_changed();
	leave_with(other);
	assert_int_equal(copy()[2], 0);
}

/*
 * Also where a page was a table, was none, and is one again: it counts as a change that it is one.
 */
static void test_more_tables_than_copies_are_each_as_they_are(void **state)
{
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < NR_TABLES; i++) {
			leave_with(tables[i]);
			assert_int_equal(copy()[2], tables[i][2]);
			assert_int_equal(copy()[1], tables[i][1]);
			assert_int_equal(copy()[ENTRY_SLOT], ENTRY);
		}
		tables[round][2] ^= 0x100000;
		xpti_l4_changed();
	}
}

static void test_a_cpu_without_memory_for_a_copy_does_not_start(void **state)
{
	fake_cpu_id = fake_cpus[1].cpu_id = 1;
	for (nr_pages = nr_taken; nr_pages < nr_taken + 4; nr_pages++) {
		unsigned int taken = nr_taken;

		assert_false(xpti_cpu_init(1));
		nr_taken = taken;
	}
	assert_true(xpti_cpu_init(1));
	fake_cpu_id = 0;
}

int main(void)
{
#define CLAIM(t) cmocka_unit_test_setup(t, fresh)
	const struct CMUnitTest tests[] = {
		CLAIM(test_the_copy_has_the_guests_entries_and_none_of_the_hypervisors),
		CLAIM(test_a_guests_fault_is_its_own_whatever_others_change),
		CLAIM(test_what_the_tables_have_now_is_tried_again_once),
		CLAIM(test_a_copy_that_was_made_too_early_is_made_again),
		CLAIM(test_what_the_processor_notes_is_no_difference),
		CLAIM(test_the_hypervisors_own_addresses_are_never_tried_again),
		CLAIM(test_another_tables_entries_come_with_the_switch),
		CLAIM(test_tables_that_take_turns_are_copied_once),
		CLAIM(test_a_change_makes_the_copies_stale_that_are_not_in_use),
		CLAIM(test_more_tables_than_copies_are_each_as_they_are),
		CLAIM(test_a_cpu_without_memory_for_a_copy_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
