/* SPDX-License-Identifier: MIT */
/* test_spec_options.c - the words of spec-ctrl=. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/spec_options.h"

static struct spec_options parse(const char *list)
{
	struct spec_options o = { 0 };

	assert_true(spec_options_parse(&o, list));
	return o;
}

static void refuse(const char *list)
{
	const struct spec_options before = { .thunk = THUNK_LFENCE, .rsb = OPTION_ON };
	struct spec_options o = before;

	assert_false(spec_options_parse(&o, list));
	assert_memory_equal(&o, &before, sizeof(o)); /* as a whole, or not at all */
}

static void test_nothing_leaves_the_choice(void **state)
{
	struct spec_options o = parse("");

	assert_int_equal(o.thunk, THUNK_DEFAULT);
	assert_int_equal(o.ibpb, OPTION_DEFAULT);
	assert_int_equal(parse("yes").rsb, OPTION_DEFAULT);
}

static void test_no_turns_all_off(void **state)
{
	struct spec_options o = parse("no");

	assert_int_equal(o.thunk, THUNK_JMP);
	assert_int_equal(o.ibrs, OPTION_OFF);
	assert_int_equal(o.md_clear, OPTION_OFF);
	assert_int_equal(o.xpti, OPTION_OFF);
	assert_int_equal(o.l1tf, OPTION_OFF);
	assert_int_equal(o.eager_fpu, OPTION_OFF);
}

static void test_a_later_word_counts(void **state)
{
	struct spec_options o = parse("no,ibpb,bti-thunk=lfence,no-rsb,md-clear=yes");

	assert_int_equal(o.ibpb, OPTION_ON);
	assert_int_equal(o.thunk, THUNK_LFENCE);
	assert_int_equal(o.rsb, OPTION_OFF);
	assert_int_equal(o.md_clear, OPTION_ON);
	assert_int_equal(o.ibrs, OPTION_OFF);
	assert_int_equal(parse("ibrs,ibrs=0").ibrs, OPTION_OFF);
}

static void test_unknown_words_are_refused(void **state)
{
	refuse("ibrss");
	refuse("ibrs=maybe");
	refuse("no-ibrs=1");
	refuse("bti-thunk=");
	refuse("bti-thunk=retpolines");
	refuse("ibpb,,rsb=x");
	refuse("no,ibbp");
	refuse("a-word-that-is-longer-than-any-word-that-there-is");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_leaves_the_choice),
		cmocka_unit_test(test_no_turns_all_off),
		cmocka_unit_test(test_a_later_word_counts),
		cmocka_unit_test(test_unknown_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
