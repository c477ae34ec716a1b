/* SPDX-License-Identifier: MIT */
/* test_string.c - lib/string.c against the C library's functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv_names.h"

#define MAX_LEN 300
#define GUARD 16

static void fill(unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		p[i] = (unsigned char)(seed >> 16);
	}
}

static void test_memcpy_copies_every_length_at_every_alignment(void **state)
{
	unsigned char src[MAX_LEN + GUARD], dst[MAX_LEN + 2 * GUARD], want[sizeof(dst)];

	fill(src, sizeof(src), 1);
	for (size_t len = 0; len <= MAX_LEN; len++) {
		for (size_t off = 0; off < 8; off++) {
			memset(dst, 0xa5, sizeof(dst));
			memcpy(want, dst, sizeof(dst));
			memcpy(want + GUARD + off, src + off / 2, len);

			assert_ptr_equal(hv_memcpy(dst + GUARD + off, src + off / 2, len),
					 dst + GUARD + off);

			assert_memory_equal(dst, want, sizeof(dst));
		}
	}
}

static void test_memmove_copies_overlapping_ranges_both_ways(void **state)
{
	unsigned char a[128], want[128];

	for (size_t from = 0; from < 40; from++) {
		for (size_t to = 0; to < 40; to++) {
			fill(a, sizeof(a), (unsigned int)(from * 41 + to));
			memcpy(want, a, sizeof(a));
			memmove(want + to, want + from, 80);

			hv_memmove(a + to, a + from, 80);

			assert_memory_equal(a, want, sizeof(a));
		}
	}
}

static void test_memset_writes_exactly_the_range(void **state)
{
	unsigned char buf[64];

	for (size_t len = 0; len <= 32; len++) {
		memset(buf, 1, sizeof(buf));

		hv_memset(buf + 8, 0xfe, len);

		for (size_t i = 0; i < sizeof(buf); i++)
			assert_int_equal(buf[i], i >= 8 && i < 8 + len ? 0xfe : 1);
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_comparisons_order_as_the_c_library(void **state)
{
	static const char *const words[] = { "", "a", "ab", "abc", "abd", "\xff", "b" };
	const size_t n = sizeof(words) / sizeof(words[0]);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(sign(hv_strcmp(words[i], words[k])),
					 sign(strcmp(words[i], words[k])));
			assert_int_equal(sign(hv_strncmp(words[i], words[k], 2)),
					 sign(strncmp(words[i], words[k], 2)));
		}
	}
	assert_int_equal(sign(hv_memcmp("a\xff", "a\x01", 2)), 1);
	assert_int_equal(hv_memcmp("x", "y", 0), 0);
}

static void test_lengths_and_searches(void **state)
{
	const char *s = "k=v";

	assert_int_equal(hv_strlen(s), 3);
	assert_int_equal(hv_strnlen("abcdef", 4), 4);
	assert_ptr_equal(hv_strchr(s, '='), s + 1);
	assert_ptr_equal(hv_strchr(s, '\0'), s + 3);
	assert_null(hv_strchr(s, 'x'));
}

static void test_strlcpy_always_terminates_and_tells_the_full_length(void **state)
{
	char buf[4] = "???";

	assert_int_equal(hv_strlcpy(buf, "abcdef", sizeof(buf)), 6);

	assert_string_equal(buf, "abc");
	assert_int_equal(hv_strlcpy(buf, "z", 0), 1);
	assert_string_equal(buf, "abc");
}

static void test_strtou64_reads_decimal_and_hex_and_stops(void **state)
{
	const char *end;

	assert_int_equal(strtou64("4096M", &end), 4096);
	assert_string_equal(end, "M");
	assert_int_equal(strtou64("0x1fG", &end), 0x1f);
	assert_string_equal(end, "G");
	assert_int_equal(strtou64("0xg", &end), 0);
	assert_string_equal(end, "xg");
	assert_int_equal(strtou64("-1", &end), 0);
	assert_string_equal(end, "-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy_copies_every_length_at_every_alignment),
		cmocka_unit_test(test_memmove_copies_overlapping_ranges_both_ways),
		cmocka_unit_test(test_memset_writes_exactly_the_range),
		cmocka_unit_test(test_comparisons_order_as_the_c_library),
		cmocka_unit_test(test_lengths_and_searches),
		cmocka_unit_test(test_strlcpy_always_terminates_and_tells_the_full_length),
		cmocka_unit_test(test_strtou64_reads_decimal_and_hex_and_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
