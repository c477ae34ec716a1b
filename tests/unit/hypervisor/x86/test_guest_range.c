/* SPDX-License-Identifier: MIT */
/* test_guest_range.c - a guest can name no address of the hypervisor, in whatever arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hypercall/hypercall.h"
#include "x86/guest_access.h"
#include "x86/layout.h"

/* --- what entry.S provides: here every byte can be reached --- */

int guest_copy(void *dst, const void *src, size_t len);
int guest_zero(void *dst, size_t len);

static u64 reached_va;
static size_t reached_len;

int guest_copy(void *dst, const void *src, size_t len)
{
	reached_va = (u64)(uintptr_t)dst;
	reached_len = len;
	return 0;
}

int guest_zero(void *dst, size_t len)
{
	return guest_copy(dst, NULL, len);
}

static void test_both_halves_of_the_guests_space_are_allowed(void **state)
{
	assert_true(guest_range_ok(0, 1, 8));
	assert_true(guest_range_ok(0x7ffffffff000, 4096, 1));
	assert_true(guest_range_ok(HV_HOLE_END, 1, 4096));
	assert_true(guest_range_ok(0xffffffffffffe000, 0xfff, 1));
}

static void test_the_hypervisors_hole_is_refused_at_every_edge(void **state)
{
	assert_false(guest_range_ok(HV_HOLE_START, 1, 1));
	assert_false(guest_range_ok(HV_HOLE_END - 1, 1, 1));
	assert_false(guest_range_ok(HV_HOLE_END - 8, 2, 8));
	assert_false(guest_range_ok(0xffff828000200000, 1, 8));
	assert_false(guest_range_ok(0xffff830000000000, 1, 8));
}

static void test_not_canonical_addresses_and_ranges_that_cross_are_refused(void **state)
{
	assert_false(guest_range_ok(0x800000000000, 1, 1));
	assert_false(guest_range_ok(0x7fffffffffff, 2, 1));
	assert_false(guest_range_ok(0x7ffffffff000, 1, 0x1000000));
}

static void test_overflowing_products_and_ends_are_refused(void **state)
{
	assert_false(guest_range_ok(0x1000, 1ULL << 61, 8));
	assert_false(guest_range_ok(0x1000, ~0ULL, ~0ULL));
	assert_false(guest_range_ok(~0ULL, 2, 1));
	assert_false(guest_range_ok(0xffffffffffffff00, 0x200, 1));
}

static void test_random_ranges_agree_with_wide_arithmetic(void **state)
{
	unsigned int seed = 11;

	for (int i = 0; i < 1000000; i++) {
		u64 edges[] = { 0, 1ULL << 47, HV_HOLE_START, HV_HOLE_END, ~0ULL };
		u64 va = edges[rand_r(&seed) % 5] + (u64)(rand_r(&seed) % 64) - 32;
		u64 len = (u64)rand_r(&seed) % 64;
		unsigned __int128 end = (unsigned __int128)va + len;
		bool want = end <= (1ULL << 47) ||
			    (va >= HV_HOLE_END && end < (unsigned __int128)1 << 64);

		assert_int_equal(guest_range_ok(va, len, 1), want);
	}
}

static void test_copies_reach_the_whole_range_or_nothing(void **state)
{
	char byte = 0;

	reached_len = 0;
	assert_int_equal(copy_to_guest(HV_HOLE_START, &byte, 1), -14);
	assert_int_equal(copy_from_guest(&byte, HV_HOLE_START, 1), -14);
	assert_int_equal(clear_guest(HV_HOLE_END - 1, 1), -14);
	assert_int_equal(reached_len, 0);

	assert_int_equal(copy_to_guest(0x1003, &byte, 29), 0);

	assert_int_equal(reached_va, 0x1003);
	assert_int_equal(reached_len, 29);
}

/* What the copy functions do to an address, wherever a mispredicted branch has let it come from. */
static void test_no_address_of_the_hypervisors_survives_the_mask(void **state)
{
	const u64 good[] = { 0, 1, 0x7fffffffffff, HV_HOLE_END, HV_HOLE_END + 1, ~0ULL };
	/* the last two: a CPU that looks at 48 bits only takes them for the hypervisor's */
	const u64 bad[] = { HV_HOLE_START,      HV_HOLE_END - 1, 0xffff828000200000,
			    DIRECTMAP_START,    1ULL << 47,      HV_HOLE_START - 1,
			    0x0000830000000000, 0x7fff828000200000 };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(guest_address_ok(good[i]));
		assert_int_equal(guest_address_nospec(good[i]), good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(guest_address_ok(bad[i]));
		assert_int_equal(guest_address_nospec(bad[i]), HV_HOLE_END);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_halves_of_the_guests_space_are_allowed),
		cmocka_unit_test(test_the_hypervisors_hole_is_refused_at_every_edge),
		cmocka_unit_test(test_not_canonical_addresses_and_ranges_that_cross_are_refused),
		cmocka_unit_test(test_overflowing_products_and_ends_are_refused),
		cmocka_unit_test(test_random_ranges_agree_with_wide_arithmetic),
		cmocka_unit_test(test_no_address_of_the_hypervisors_survives_the_mask),
		cmocka_unit_test(test_copies_reach_the_whole_range_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
