/* SPDX-License-Identifier: MIT */
/* test_e820.c - any firmware memory map becomes sorted, disjoint and safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"
#include "x86/e820.h"

static void assert_entry(const struct e820_map *m, unsigned int i, u64 addr, u64 size, u32 type)
{
	assert_true(i < m->nr);
	assert_int_equal(m->entry[i].addr, addr);
	assert_int_equal(m->entry[i].size, size);
	assert_int_equal(m->entry[i].type, type);
}

static void test_ranges_are_sorted_and_neighbours_joined(void **state)
{
	struct e820_map m = { 0 };

	e820_add(&m, 0x200000, 0x100000, E820_RAM);
	e820_add(&m, 0x100000, 0x100000, E820_RAM);
	e820_add(&m, 0, 0xa0000, E820_RAM);
	e820_sanitise(&m, ~0ULL);

	assert_int_equal(m.nr, 2);
	assert_entry(&m, 0, 0, 0xa0000, E820_RAM);
	assert_entry(&m, 1, 0x100000, 0x200000, E820_RAM);
	assert_int_equal(e820_ram_end(&m), 0x300000);
	assert_int_equal(e820_ram_bytes(&m), 0x2a0000);
}

static void test_what_is_not_ram_wins_over_ram(void **state)
{
	struct e820_map m = { 0 };

	e820_add(&m, 0x100000, 0x300000, E820_RAM);
	e820_add(&m, 0x200000, 0x100000, E820_RESERVED);
	e820_sanitise(&m, ~0ULL);

	assert_int_equal(m.nr, 3);
	assert_entry(&m, 0, 0x100000, 0x100000, E820_RAM);
	assert_entry(&m, 1, 0x200000, 0x100000, E820_RESERVED);
	assert_entry(&m, 2, 0x300000, 0x100000, E820_RAM);
}

static void test_a_range_that_wraps_around_is_cut(void **state)
{
	struct e820_map m = { 0 };

	e820_add(&m, ~0ULL - 0xfff, 0x10000, E820_RESERVED);
	e820_sanitise(&m, ~0ULL);

	assert_int_equal(m.nr, 1);
	assert_entry(&m, 0, ~0ULL - 0xfff, 0xfff, E820_RESERVED);
}

static char said[256];

void hv_log(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	assert_int_equal(level, LOG_WARN);
}

/* @nr ranges, every second page. */
static void fill(struct e820_map *m, u64 nr, u32 type)
{
	m->nr = m->nr_dropped = 0;
	for (u64 i = 0; i < nr; i++)
		e820_add(m, i << 13, 1 << 12, type);
	said[0] = '\0';
}

static void test_what_a_full_map_drops_is_said(void **state)
{
	static struct e820_map m;
	const u64 room = ARRAY_SIZE(m.entry);

	fill(&m, room, E820_RAM);
	e820_add(&m, 0, 0, E820_RAM); /* nothing */
	e820_sanitise(&m, ~0ULL);
	assert_string_equal(said, "");
	assert_int_equal(m.nr, room);
	fill(&m, room + 2, E820_RAM);
	e820_sanitise(&m, ~0ULL);
	assert_non_null(strstr(said, " 2 ranges"));
	assert_int_equal(m.nr, room);
	assert_true(e820_is_ram(&m, (room - 1) << 13));
	assert_false(e820_is_ram(&m, room << 13));
	said[0] = '\0';
	e820_sanitise(&m, ~0ULL); /* a map forgets nothing */
	assert_non_null(strstr(said, " 2 ranges"));
}

/* One range of the firmware's can become many. */
static void test_what_has_no_room_once_it_is_cut_is_said(void **state)
{
	static struct e820_map m;
	const u64 room = ARRAY_SIZE(m.entry);

	fill(&m, room - 1, E820_RESERVED);
	e820_add(&m, 0, room << 13, E820_RAM); /* between them all */
	e820_sanitise(&m, ~0ULL);
	assert_int_equal(m.nr, room);
	assert_int_equal(m.nr_dropped, 2 * (room - 1) - room);
	assert_non_null(strstr(said, "126 ranges"));
}

/* The direct map ends somewhere, and behind it are guests' addresses. */
static void test_ram_that_has_no_address_is_not_used_and_said(void **state)
{
	struct e820_map m = { 0 };

	said[0] = '\0';
	e820_add(&m, 0, 1ULL << 41, E820_RAM);
	e820_add(&m, 1ULL << 41, 1 << 20, E820_RESERVED);
	e820_add(&m, 1ULL << 42, 1ULL << 42, E820_RAM);
	e820_sanitise(&m, 5ULL << 40);
	assert_int_equal(e820_ram_end(&m), 5ULL << 40);
	assert_int_equal(e820_ram_bytes(&m), 3ULL << 40);
	assert_false(e820_is_ram(&m, 5ULL << 40));
	assert_int_equal(e820_find(&m, 5ULL << 40)->type, E820_UNUSABLE);
	assert_non_null(strstr(said, "3145728 MiB of RAM above 5120 GiB"));
	said[0] = '\0';
	e820_sanitise(&m, 5ULL << 40); /* nothing more is to be said */
	assert_string_equal(said, "");
	e820_sanitise(&m, 1ULL << 40); /* in the middle of a range */
	assert_int_equal(e820_ram_bytes(&m), 1ULL << 40);
	assert_int_equal(e820_find(&m, 1ULL << 41)->type, E820_RESERVED);
	assert_non_null(strstr(said, "2097152 MiB of RAM above 1024 GiB"));
}

/* The type a byte has in an unsanitised map: RAM only when nothing else claims it. */
static u32 expected_type(const struct e820_map *m, u64 at)
{
	bool ram = false, other = false;

	for (unsigned int i = 0; i < m->nr; i++) {
		if (at < m->entry[i].addr || at >= m->entry[i].addr + m->entry[i].size)
			continue;
		ram |= m->entry[i].type == E820_RAM;
		other |= m->entry[i].type != E820_RAM;
	}
	return other ? 2 : ram;
}

static void test_random_maps_keep_each_byte_what_it_was(void **state)
{
	unsigned int seed = 7;

	for (int round = 0; round < 2000; round++) {
		struct e820_map in = { 0 }, out;

		for (int k = 0; k < 12; k++)
			e820_add(&in, (u64)rand_r(&seed) % 64, (u64)rand_r(&seed) % 24,
				 (u32)rand_r(&seed) % 5 + 1);
		out = in;
		e820_sanitise(&out, ~0ULL);

		for (unsigned int i = 1; i < out.nr; i++)
			assert_true(out.entry[i - 1].addr + out.entry[i - 1].size <=
				    out.entry[i].addr);
		for (u64 at = 0; at < 90; at++)
			assert_int_equal(expected_type(&out, at), expected_type(&in, at));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_are_sorted_and_neighbours_joined),
		cmocka_unit_test(test_what_is_not_ram_wins_over_ram),
		cmocka_unit_test(test_a_range_that_wraps_around_is_cut),
		cmocka_unit_test(test_what_a_full_map_drops_is_said),
		cmocka_unit_test(test_what_has_no_room_once_it_is_cut_is_said),
		cmocka_unit_test(test_ram_that_has_no_address_is_not_used_and_said),
		cmocka_unit_test(test_random_maps_keep_each_byte_what_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
