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

/* Pages of the fake RAM: the copy, then the tables of two guests. */
static u64 *copy, *own, *other;

void *pt_page(void)
{
	return copy;
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
	return true;
}

void hv_panic(const char *fmt, ...)
{
	abort();
}

static int fresh(void **state)
{
	free(fake_ram);
	fake_ram = aligned_alloc(PAGE_SIZE, 3 * PAGE_SIZE);
	memset(fake_ram, 0, 3 * PAGE_SIZE);
	copy = (u64 *)fake_ram;
	own = copy + PT_ENTRIES;
	other = own + PT_ENTRIES;
	own[1] = own[HV_L4_FIRST] = own[PERDOMAIN_L4_SLOT] = own[KERNEL_SLOT] = 0x1000 | PTE_P;
	own[HV_L4_LAST] = own[261] = 0x2000 | PTE_P;
	fake_cpu_id = 0;
	xpti_init(true);
	fake_cpus[0].hv_cr3 = virt_to_maddr(own);
	xpti_l4_changed(); /* the test before had tables of the same addresses */
	xpti_before_guest();
	return 0;
}

static void test_the_copy_has_the_guests_entries_and_none_of_the_hypervisors(void **state)
{
	assert_int_equal(fake_cpus[0].guest_cr3, virt_to_maddr(copy));
	assert_int_equal(copy[1], own[1]);
	assert_int_equal(copy[KERNEL_SLOT], own[KERNEL_SLOT]);
	assert_int_equal(copy[HV_L4_FIRST], own[HV_L4_FIRST]); /* the M2P, for reading */
	assert_int_equal(copy[PERDOMAIN_L4_SLOT], own[PERDOMAIN_L4_SLOT]);
	assert_int_equal(copy[261], 0);
	assert_int_equal(copy[HV_L4_LAST], 0);
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

	assert_int_equal(copy[7], own[7]);
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
	assert_int_equal(copy[7], own[7]);
}

static void test_what_the_processor_notes_is_no_difference(void **state)
{
	copy[1] |= PTE_A;
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
	fake_cpus[0].hv_cr3 = virt_to_maddr(other);
	xpti_before_guest();
	assert_int_equal(copy[9], other[9]);
	assert_int_equal(copy[1], 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
