/* SPDX-License-Identifier: MIT */
/* test_pagetable.c - the hypervisor's own mappings: an empty heap refuses a device, and stops nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"
#include "x86/e820.h"
#include "x86/init.h"
#include "x86/layout.h"
#include "x86/machine.h"
#include "x86/pte.h"

#define PAGES 8
#define DEVICE 0xfd000040ULL

unsigned char *fake_ram;
struct e820_map machine_e820;
u8 image_start[1], text_end[1], rodata_start[1], rodata_end[1], image_end[1], cpu_stack[1];

static unsigned int nr_free, nr_given;
static jmp_buf stopped;

static void *new_page(void)
{
	if (!nr_free)
		return NULL;
	nr_free--;
	return fake_ram + ++nr_given * PAGE_SIZE;
}

void smp_map_boot_stack(void)
{
}

void tlb_flush_local_all(void)
{
}

void hv_panic(const char *fmt, ...)
{
	longjmp(stopped, 1);
}

static int fresh(void **state)
{
	free(fake_ram);
	fake_ram = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	memset(fake_ram, 0, PAGES * PAGE_SIZE);
	hv_l4 = (u64 *)fake_ram;
	pt_set_pages(new_page);
	nr_given = 0;
	return 0;
}

static u64 entry_of(const volatile void *at, unsigned int level)
{
	const u64 *table = hv_l4;
	u64 entry = 0;

	for (unsigned int l = 4; l >= level; l--) {
		entry = table[(unsigned long)at >> (12 + 9 * (l - 1)) & 511];
		table = maddr_to_virt(entry & PTE_ADDR_MASK);
	}
	return entry;
}

static void test_an_empty_heap_refuses_a_mapping_and_stops_nothing(void **state)
{
	void *at;

	if (setjmp(stopped))
		fail_msg("the machine stops for want of a page");
	for (unsigned int nr = 0; nr < 3; nr++) {
		fresh(state);
		nr_free = nr;
		assert_null(ioremap(DEVICE, 8));
	}
	fresh(state);
	nr_free = 3;
	at = ioremap(DEVICE, 8);
	assert_non_null(at);
	assert_int_equal((unsigned long)at & PAGE_OFFSET_MASK, DEVICE & PAGE_OFFSET_MASK);
	assert_int_equal(entry_of(at, 1) & PTE_ADDR_MASK, DEVICE & ~PAGE_OFFSET_MASK);
}

static void test_without_memory_the_addresses_go_to_the_next_device(void **state)
{
	void *first, *second;

	nr_free = 3;
	first = ioremap(DEVICE, 8);
	nr_free = 0;
	assert_null(ioremap(0xfe000000, 1UL << 21)); /* reaches into a second level-1 table */
	nr_free = 1;
	second = ioremap(0xfe000000, 8);
	assert_int_equal((unsigned long)second, ((unsigned long)first & ~PAGE_OFFSET_MASK) + PAGE_SIZE);
	assert_int_equal(entry_of(second, 1) & PTE_ADDR_MASK, 0xfe000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_empty_heap_refuses_a_mapping_and_stops_nothing, fresh),
		cmocka_unit_test_setup(test_without_memory_the_addresses_go_to_the_next_device, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
