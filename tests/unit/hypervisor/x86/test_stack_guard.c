/* SPDX-License-Identifier: MIT */
/*
 * test_stack_guard.c - a function whose guard is not what it was does not return. Built with the
 * image's flags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/types.h"
#include "x86/stack_guard.h"

extern u64 __stack_chk_guard;

static jmp_buf stopped;

void hv_panic(const char *fmt, ...)
{
	longjmp(stopped, 1);
}

/* As if something had been written below its return address: the two no longer agree. */
static __attribute__((noinline)) void runs_over(u64 by)
{
	volatile char array[32] __attribute__((unused));

	array[by & 31] = 1;
	__stack_chk_guard ^= by;
}

static bool returns(u64 by)
{
	if (setjmp(stopped)) {
		__stack_chk_guard ^= by;
		return false;
	}
	runs_over(by);
	return true;
}

static void test_what_was_overwritten_does_not_return(void **state)
{
	assert_true(returns(0));
	for (unsigned int bit = 0; bit < 64; bit++)
		assert_false(returns(1UL << bit));
}

static __attribute__((no_stack_protector)) void test_the_value_is_new_and_ends_a_string(void **state)
{
	u64 first = __stack_chk_guard, seen[3];

	for (int i = 0; i < 3; i++) {
		stack_guard_init();
		seen[i] = __stack_chk_guard;
		__stack_chk_guard = first; /* of the functions that called this one */
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(seen[i] & 0xff, 0);
		assert_true(seen[i] && seen[i] != first && seen[i] != seen[(i + 1) % 3]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_overwritten_does_not_return),
		cmocka_unit_test(test_the_value_is_new_and_ends_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
