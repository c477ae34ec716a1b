/* SPDX-License-Identifier: MIT */
/*
 * test_pagetable.c - the hypervisor's own mappings: an empty heap refuses a device, and stops
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"
#include "x86/e820.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/pte.h"
#include "x86/smp.h"
#include "x86/tlb.h"

#define PAGES 16
#define DEVICE 0xfd000040ULL

unsigned char *fake_ram;
struct e820_map machine_e820;
/*
 * A page of code and one of constants, as hypervisor.lds has them; where, is the linker's affair.
 */
__asm__(".pushsection .data\n .globl image_start, text_end, rodata_start, rodata_end, image_end\n"
	".balign 4096\n image_start: .zero 4096\n text_end:\n rodata_start: .zero 4096\n"
	"rodata_end:\n image_end:\n .popsection");
extern u8 image_start[];
#define TEXT ((unsigned long)image_start - IMAGE_START)
u8 cpu_stack[1];
static bool keeps_rights = true;

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

bool cpu_keeps_rights(void)
{
	return keeps_rights;
}

void hv_log(enum log_level level, const char *fmt, ...)
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

static bool check_stops(void)
{
	if (setjmp(stopped))
		return true;
	pt_check_rights();
	return false;
}

/* One mapping more that the check must see. */
static bool is_noticed(void **state, unsigned long va, maddr_t ma, u64 len, u64 flags)
{
	fresh(state);
	nr_free = PAGES - 1;
	pt_map(IMAGE_START + PAGE_SIZE, TEXT, PAGE_SIZE, 0);
	pt_map(IMAGE_START + 2 * PAGE_SIZE, TEXT + PAGE_SIZE, PAGE_SIZE, PTE_NX);
	assert_false(check_stops());
	pt_map(va, ma, len, flags);
	return check_stops();
}

static void test_what_can_be_written_is_not_executed_and_code_is_not_written(void **state)
{
	const maddr_t text = TEXT, rodata = text + PAGE_SIZE, data = rodata + PAGE_SIZE;
	const unsigned long other = HV_HOLE_END - (1UL << 30), large = 1UL << 21;

	assert_false(is_noticed(state, other, data, PAGE_SIZE, PTE_RW | PTE_NX));
	assert_true(is_noticed(state, other, data, PAGE_SIZE, PTE_RW));
	assert_true(is_noticed(state, IMAGE_START + PAGE_SIZE, text, PAGE_SIZE, PTE_RW));
	assert_true(is_noticed(state, IMAGE_START + 2 * PAGE_SIZE, rodata, PAGE_SIZE, PTE_RW | PTE_NX));
	/* by another address, the last one too; by a large page */
	assert_true(is_noticed(state, other, rodata, PAGE_SIZE, PTE_RW | PTE_NX));
	assert_true(is_noticed(state, HV_HOLE_END - PAGE_SIZE, text, PAGE_SIZE, PTE_RW | PTE_NX));
	assert_true(is_noticed(state, other, ALIGN_DOWN(text, large), large, PTE_RW | PTE_NX));
	assert_false(is_noticed(state, other, ALIGN_DOWN(text, large) - large, large, PTE_RW | PTE_NX));
	keeps_rights = false;
	assert_true(check_stops());
	keeps_rights = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_empty_heap_refuses_a_mapping_and_stops_nothing, fresh),
		cmocka_unit_test_setup(test_what_can_be_written_is_not_executed_and_code_is_not_written, fresh),
		cmocka_unit_test_setup(test_without_memory_the_addresses_go_to_the_next_device, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
