/* SPDX-License-Identifier: MIT */
/*
 * test_tlb_filter.c - a frame's stamp is 32 bits of a clock that a guest can drive as far as it
 * likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "x86/tlb_filter.h"

#define WRAP (1ULL << 32)

static void test_a_stamp_is_the_time_when_it_was_taken(void **state)
{
	static const u64 ages[] = { 0, 1, (1ULL << 30) + 1, 1ULL << 31, (1ULL << 31) + 1, WRAP - 1 };
	static const u64 times[] = { 1, 5, WRAP - 1, WRAP, WRAP + 1, 7 * WRAP + 3 };

	for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++) {
		for (size_t a = 0; a < sizeof(ages) / sizeof(ages[0]); a++)
			assert_true(tlb_stamp_time((u32)times[t], times[t] + ages[a]) == times[t]);
	}
}

/* Later costs a flush; earlier would leave one out. */
static void test_an_older_one_is_never_taken_for_an_earlier_time(void **state)
{
	static const u64 ages[] = { WRAP, WRAP + 1, 3 * WRAP - 1, 3 * WRAP };

	for (size_t a = 0; a < sizeof(ages) / sizeof(ages[0]); a++) {
		u64 now = 9 + ages[a], time = tlb_stamp_time(9, now);

		assert_true(time >= 9 && time <= now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stamp_is_the_time_when_it_was_taken),
		cmocka_unit_test(test_an_older_one_is_never_taken_for_an_earlier_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
