/* SPDX-License-Identifier: MIT */
/* test_vsnprintf.c - lib/vsnprintf.c prints what the C library prints, within its subset. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hv_names.h"

/* Both formatters with the same arguments. */
#define SAME(...)                                                                                  \
	do {                                                                                       \
		char ours[128], theirs[128];                                                       \
		int n = hv_snprintf(ours, sizeof(ours), __VA_ARGS__);                              \
		assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));                \
		assert_string_equal(ours, theirs);                                                 \
	} while (0)

static void test_integers_print_as_in_the_c_library(void **state)
{
	SAME("%d %i", 0, -17);
	SAME("%d %u", INT_MIN, UINT_MAX);
	SAME("%ld %lu", LONG_MIN, ULONG_MAX);
	SAME("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, 0x123456789abcdefULL);
	SAME("%x %X %08x %-8x|", 0xbeefu, 0xbeefu, 0x12u, 0x12u);
	SAME("%#x %#lX %#x %#10x %#010x %-#8x|", 0xbeefu, 0xbeeful, 0u, 0x12u, 0x12u, 0x12u);
	SAME("%5d|%-5d|%05d|%05d", 42, 42, 42, -42);
	SAME("%016lx %zu", 0xffff828000200000UL, (size_t)77);
	SAME("%*d|%hd %hhu", 6, 3, (short)-2, (unsigned char)200);
}

static void test_strings_honour_width_and_precision(void **state)
{
	SAME("%s|%10s|%-10s|", "abc", "abc", "abc");
	SAME("%.2s|%.*s|%c%%", "abcdef", 3, "uvwxyz", 'q');
}

static void test_a_missing_string_is_named_and_does_not_fault(void **state)
{
	char buf[32];
	const char *none = NULL;

	hv_snprintf(buf, sizeof(buf), "%s!", none);

	assert_string_equal(buf, "(null)!");
}

static void test_output_is_cut_at_the_buffer_and_terminated(void **state)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));

	assert_int_equal(hv_snprintf(buf, 5, "%s-%d", "abcdef", 123), 10);

	assert_memory_equal(buf, "abcd\0xxx", 8);
}

static void test_a_zero_sized_buffer_is_not_touched(void **state)
{
	char c = 'x';

	assert_int_equal(hv_snprintf(&c, 0, "%d", 12345), 5);

	assert_int_equal(c, 'x');
}

static void test_an_unknown_conversion_stays_visible(void **state)
{
	char buf[32];

	hv_snprintf(buf, sizeof(buf), "a%qb %");

	assert_string_equal(buf, "a%qb %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_print_as_in_the_c_library),
		cmocka_unit_test(test_strings_honour_width_and_precision),
		cmocka_unit_test(test_a_missing_string_is_named_and_does_not_fault),
		cmocka_unit_test(test_output_is_cut_at_the_buffer_and_terminated),
		cmocka_unit_test(test_a_zero_sized_buffer_is_not_touched),
		cmocka_unit_test(test_an_unknown_conversion_stays_visible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
