/* SPDX-License-Identifier: MIT */
/* test_bootmem.c - boot memory never overlaps, and every frame of RAM ends up in exactly one place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/bootmem.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "x86/e820.h"

#define FRAMES 0x2000 /* 32 MiB */

static unsigned char free_count[FRAMES], xen_count[FRAMES], taken[FRAMES];

/* --- what bootmem.c calls --- */

void page_alloc_add(mfn_t start, mfn_t end)
{
	for (u64 i = mfn_x(start); i < mfn_x(end); i++)
		free_count[i]++;
}

void frame_mark_xen(mfn_t start, mfn_t end)
{
	for (u64 i = mfn_x(start); i < mfn_x(end); i++)
		xen_count[i]++;
}

void hv_log(enum log_level level, const char *fmt, ...)
{
	fail_msg("log: %s", fmt);
}

void hv_panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

static void take(u64 start, u64 len)
{
	for (u64 i = start >> 12; i < (start + len + 4095) >> 12; i++)
		taken[i] = 1;
}

static void test_random_allocations_are_disjoint_and_all_ram_is_accounted_for(void **state)
{
	unsigned int seed = 3;

	e820_add(&machine_e820, 0, 0x9f000, E820_RAM);
	e820_add(&machine_e820, 0x100000, 0xf00000, E820_RAM);
	e820_add(&machine_e820, 0x1000000, 0x1000, E820_RESERVED);
	e820_add(&machine_e820, 0x1001000, 0xffd800, E820_RAM);
	bootmem_reserve(0x200000, 0x123456);
	take(0x200000, 0x123456);
	bootmem_reserve(0x1800fff, 1);
	take(0x1800fff, 1);

	for (int i = 0; i < 150; i++) {
		u64 size = (u64)(rand_r(&seed) % 9 + 1) << 12,
		    align = 1ULL << (12 + rand_r(&seed) % 5);
		u64 at = bootmem_alloc(size - (u64)(rand_r(&seed) % 4096), align);

		assert_int_equal(at & (align - 1), 0);
		assert_true(at >= 0x100000 && at + size <= 0x1ffe800);
		for (u64 f = at >> 12; f < (at + size) >> 12; f++)
			assert_int_equal(taken[f], 0);
		take(at, size);
	}
	assert_true(bootmem_is_open());
	bootmem_close();

	assert_false(bootmem_is_open());
	for (u64 f = 0; f < FRAMES; f++) {
		bool ram = (f >= 0x100 && f < 0x1000) || (f >= 0x1001 && f < 0x1ffe);

		assert_int_equal(xen_count[f], ram && taken[f]);
		assert_int_equal(free_count[f], ram && !taken[f]);
	}
}

static void test_memory_above_4_gib_is_taken_once_it_is_mapped(void **state)
{
	const u64 edge = 1ULL << 32;

	e820_add(&machine_e820, edge - 0x10000, 0x40000, E820_RAM);
	assert_int_equal(bootmem_alloc(0x8000, 0x1000), edge - 0x8000);
	bootmem_mapped(edge + 0x20000);
	assert_int_equal(bootmem_alloc(0x10000, 0x10000), edge + 0x10000);
	assert_int_equal(bootmem_alloc(0x10000, 0x10000), edge);
	assert_int_equal(bootmem_alloc(0x8000, 0x1000), edge - 0x10000); /* the end of the rest */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_allocations_are_disjoint_and_all_ram_is_accounted_for),
		cmocka_unit_test(test_memory_above_4_gib_is_taken_once_it_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
