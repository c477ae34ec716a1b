/* SPDX-License-Identifier: MIT */
/* test_page_alloc.c - the heap: who needs low memory gets it without a walk, and all comes back together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"

#define LIMIT_BITS (PAGE_SHIFT + 10) /* half of the fake machine's frames */
#define LIMIT (1u << 10)

static u64 at_start;

static int fresh(void **state)
{
	machine_reset(0, 1);
	at_start = page_alloc_free_frames();
	return 0;
}

static int ended(void **state)
{
	bool is_lost = page_alloc_free_frames() != at_start;

	machine_free();
	return is_lost;
}

static void test_memory_below_a_limit_is_below_it_and_all_of_it_can_be_had(void **state)
{
	static struct frame *got[FAKE_FRAMES];
	unsigned int nr = 0;

	while ((got[nr] = frames_alloc(0, LIMIT_BITS)))
		assert_true(mfn_x(frame_to_mfn(got[nr++])) < LIMIT);
	assert_true(nr > LIMIT / 2);
	got[nr] = frames_alloc(0, 0);
	assert_true(mfn_x(frame_to_mfn(got[nr])) >= LIMIT);
	for (unsigned int i = 0; i <= nr; i++)
		frames_free(got[i], 0);
}

static void test_who_names_no_limit_leaves_low_memory_to_others(void **state)
{
	struct frame *f = frames_alloc(0, 0);

	assert_true(mfn_x(frame_to_mfn(f)) >= LIMIT);
	frames_free(f, 0);
}

/* Thousands of single frames above the limit: behind the first, their lists lead nowhere. */
static void test_no_list_is_walked(void **state)
{
	static struct frame *got[FAKE_FRAMES];
	unsigned int nr = 0;
	u32 next;

	while ((got[nr] = frames_alloc(0, 0)))
		nr++;
	/* every second one above the limit, and none below */
	for (unsigned int i = 0; i < nr; i++)
		if (mfn_x(frame_to_mfn(got[i])) >= LIMIT && mfn_x(frame_to_mfn(got[i])) % 2)
			frames_free(got[i], 0);
	for (unsigned int i = 0; i < nr; i++)
		if (got[i]->ref & FRAME_FREE) {
			next = got[i]->next;
			got[i]->next = FRAME_LIST_END - 1;
			assert_null(frames_alloc(0, LIMIT_BITS));
			got[i]->next = next;
		}
	for (unsigned int i = 0; i < nr; i++)
		if (mfn_x(frame_to_mfn(got[i])) < LIMIT || mfn_x(frame_to_mfn(got[i])) % 2 == 0)
			frames_free(got[i], 0);
}

static void test_what_is_freed_in_pieces_can_be_had_whole_again(void **state)
{
	struct frame *whole = frames_alloc(8, 0), *again;

	assert_non_null(whole);
	for (unsigned int i = 0; i < 1u << 8; i += 2)
		frames_free(&whole[i], 0);
	for (unsigned int i = 1; i < 1u << 8; i += 2)
		frames_free(&whole[i], 0);
	again = frames_alloc(8, 0);
	assert_ptr_equal(again, whole);
	frames_free(again, 8);
}

/* No block reaches over a power of two, or part of it could not be had by who needs memory below. */
static void test_no_block_crosses_a_limit(void **state)
{
	struct frame *f;

	machine_reset(0, 1);
	page_alloc_add(_mfn(0), _mfn(2)); /* given to the hypervisor before: frame 0 is RAM like any other */
	for (unsigned int bits = PAGE_SHIFT; bits <= PAGE_SHIFT + 1; bits++) {
		f = frames_alloc(0, bits);
		assert_non_null(f);
		assert_int_equal(mfn_x(frame_to_mfn(f)), bits - PAGE_SHIFT);
	}
	assert_null(frames_alloc(0, PAGE_SHIFT + 1));
	at_start = page_alloc_free_frames();
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, ended)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_memory_below_a_limit_is_below_it_and_all_of_it_can_be_had),
		CLAIM(test_who_names_no_limit_leaves_low_memory_to_others),
		CLAIM(test_no_list_is_walked),
		CLAIM(test_what_is_freed_in_pieces_can_be_had_whole_again),
		CLAIM(test_no_block_crosses_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
