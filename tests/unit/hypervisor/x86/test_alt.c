/* SPDX-License-Identifier: MIT */
/*
 * test_alt.c - code chosen at boot: sites are filled, or become no-ops, and nothing beside them
 * changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "x86/alt.h"

#define GUARD 0xcc

static u8 text[1024];
static const u8 code[] = { 0x0f, 0x01, 0xcb, 0x31, 0xc0 };

static struct alt_site site(size_t at, size_t len, size_t code_len, u32 feature, bool is_nops)
{
	return (struct alt_site){ (u64)(uintptr_t)(text + at), (u64)(uintptr_t)code, (u32)len,
				  (u32)code_len, feature, is_nops };
}

static int reset(void **state)
{
	memset(text, GUARD, sizeof(text));
	return 0;
}

/*
 * Number of instructions in [@at, @at + @len) when all are the no-ops of the SDM, or a jump behind
 * it.
 */
static unsigned int count(size_t at, size_t len)
{
	static const struct {
		u8 first[3];
		size_t nr_first, len;
	} forms[] = {
		{ { 0x66, 0x0f, 0x1f }, 3, 0 }, { { 0x0f, 0x1f, 0x00 }, 3, 3 }, { { 0x0f, 0x1f, 0x40 }, 3, 4 },
		{ { 0x0f, 0x1f, 0x44 }, 3, 5 }, { { 0x0f, 0x1f, 0x80 }, 3, 7 }, { { 0x0f, 0x1f, 0x84 }, 3, 8 },
		{ { 0x66, 0x90 }, 2, 2 },	    { { 0x90 }, 1, 1 },
	};
	size_t end = at + len;
	unsigned int n = 0;

	for (; at < end; n++) {
		size_t step = 0;

		if (text[at] == 0xeb)
			return at + 2 + text[at + 1] == end ? n + 1 : 1000;
		if (text[at] == 0xe9) {
			s32 over;

			memcpy(&over, text + at + 1, sizeof(over));
			return at + 5 + (size_t)over == end ? n + 1 : 1000;
		}
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && !step; i++) {
			if (memcmp(text + at, forms[i].first, forms[i].nr_first))
				continue;
			step = forms[i].len;
			if (!step) /* behind the prefix */
				step = text[at + 3] == 0x44 ? 6 : 9;
		}
		if (!step)
			return 1000;
		at += step;
	}
	return at == end ? n : 1000;
}

static void test_a_site_that_is_on_gets_its_code_and_one_that_is_off_none(void **state)
{
	const struct alt_site s[] = { site(8, 5, 5, 1, true), site(32, 8, 3, 2, true),
				      site(64, 5, 5, 3, true) };

	alt_apply(s, s + 3, 1u << 1 | 1u << 2);

	assert_memory_equal(text + 8, code, 5);
	assert_memory_equal(text + 32, code, 3);
	assert_int_equal(count(35, 5), 1);
	assert_int_equal(count(64, 5), 1);
	for (size_t i = 0; i < sizeof(text); i++)
		if (!(i >= 8 && i < 13) && !(i >= 32 && i < 40) && !(i >= 64 && i < 69))
			assert_int_equal(text[i], GUARD);
}

static void test_every_length_becomes_few_no_ops(void **state)
{
	for (size_t len = 1; len < 900; len++) {
		const struct alt_site s = site(16, len, len > 5 ? 5 : len, 1, true);

		reset(NULL);
		alt_apply(&s, &s + 1, 0);
		assert_in_range(count(16, len), 1, len < 28 ? (len + 8) / 9 : 1);
		assert_int_equal(text[15], GUARD);
		assert_int_equal(text[16 + len], GUARD);
	}
}

static void test_idle_sites_side_by_side_are_one(void **state)
{
	const struct alt_site s[] = { site(0, 8, 5, 1, true), site(8, 23, 5, 2, true),
				      site(31, 40, 5, 3, true), site(80, 8, 5, 1, true) };

	alt_apply(s, s + 4, 0);

	assert_int_equal(count(0, 71), 1);
	assert_int_equal(text[71], GUARD);
	assert_int_equal(count(80, 8), 1);
}

static void test_an_idle_site_ends_where_one_is_on(void **state)
{
	const struct alt_site s[] = { site(0, 8, 5, 1, true), site(8, 5, 5, 2, true),
				      site(13, 8, 5, 1, true) };

	alt_apply(s, s + 3, 1u << 2);

	assert_int_equal(count(0, 8), 1);
	assert_memory_equal(text + 8, code, 5);
	assert_int_equal(count(13, 8), 1);
}

static void test_code_that_stands_there_stays_unless_its_other_is_on(void **state)
{
	const struct alt_site s[] = { site(0, 16, 5, 1, false), site(0, 16, 3, 2, false) };

	alt_apply(s, s + 2, 0);
	for (size_t i = 0; i < 17; i++)
		assert_int_equal(text[i], GUARD);

	alt_apply(s, s + 2, 1u << 2);
	assert_memory_equal(text, code, 3);
	assert_int_equal(text[16], GUARD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			test_a_site_that_is_on_gets_its_code_and_one_that_is_off_none, reset),
		cmocka_unit_test_setup(test_every_length_becomes_few_no_ops, reset),
		cmocka_unit_test_setup(test_idle_sites_side_by_side_are_one, reset),
		cmocka_unit_test_setup(test_an_idle_site_ends_where_one_is_on, reset),
		cmocka_unit_test_setup(test_code_that_stands_there_stays_unless_its_other_is_on,
				       reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
