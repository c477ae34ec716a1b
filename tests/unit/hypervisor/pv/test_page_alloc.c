/* SPDX-License-Identifier: MIT */
/*
 * test_page_alloc.c - the heap: who needs low memory gets it without a walk, and all comes back
 * together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "guest.h"
#include "mm/page_alloc.h"
#include "x86/tlb.h"
#include "x86/tlb_space.h"

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

/*
 * No block reaches over a power of two, or part of it could not be had by who needs memory below.
 */
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

/*
 * Of any size and below any limit, in any order: as a plain map of what is taken says, and in the
 * end as in the beginning.
 */
static void test_blocks_overlap_nobody_and_lie_as_they_were_asked_for(void **state)
{
	static u8 is_taken[FAKE_FRAMES];
	struct {
		struct frame *f;
		unsigned int order;
	} got[200] = { { 0 } };
	u64 nr_taken = 0;

	memset(is_taken, 0, sizeof(is_taken));
	for (unsigned int n = 0; n < 20000; n++) {
		const unsigned int i = machine_random() % ARRAY_SIZE(got), order = machine_random() % 6;
		const unsigned int bits = machine_random() % 3 ? 0 : PAGE_SHIFT + 4 + machine_random() % 8;
		u64 mfn;

		if (got[i].f) {
			mfn = mfn_x(frame_to_mfn(got[i].f));
			frames_free(got[i].f, got[i].order);
			memset(is_taken + mfn, 0, 1u << got[i].order);
			nr_taken -= 1u << got[i].order;
			got[i].f = NULL;
			assert_int_equal(page_alloc_free_frames(), at_start - nr_taken);
			continue;
		}
		got[i].f = frames_alloc(order, bits);
		if (!got[i].f)
			continue;
		got[i].order = order;
		mfn = mfn_x(frame_to_mfn(got[i].f));
		assert_int_equal(mfn & ((1u << order) - 1), 0);
		assert_true(!bits || mfn + (1u << order) <= 1ULL << (bits - PAGE_SHIFT));
		for (u64 k = mfn; k < mfn + (1u << order); k++) {
			assert_false(is_taken[k]);
			is_taken[k] = 1;
			assert_int_equal(frame_table[k].owner, DOMID_XEN);
			assert_int_equal(frame_table[k].ref & (FRAME_FREE | FRAME_REF_MASK), 0);
			frame_table[k].type = 0x1234567; /* whatever it was */
		}
		nr_taken += 1u << order;
		assert_int_equal(page_alloc_free_frames(), at_start - nr_taken);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(got); i++)
		if (got[i].f)
			frames_free(got[i].f, got[i].order);
	/* the highest is whole again: half of the machine but what it is too short by */
	got[0].f = frames_alloc(9, 0);
	assert_int_equal(mfn_x(frame_to_mfn(got[0].f)), LIMIT);
	frames_free(got[0].f, 9);
	assert_int_equal(page_alloc_total_frames(), FAKE_FRAMES - 16 - 64);
}

static void test_a_block_is_given_out_as_nobodys_and_forgotten_by_the_cpus(void **state)
{
	struct frame *f = frames_alloc(2, 0);
	u32 time;

	machine_run(1);
	for (unsigned int i = 0; i < 4; i++) {
		for (unsigned int k = 0; k < 4; k++) {
			f[k].owner = 1;
			f[k].type = 7;
			f[k].stamp = k == i ? tlb_clock() : 0;
		}
		tlb_note_released(&current->domain->tlb);
		time = fake_cpus[0].tlb_time;
		frames_free(f, 2);
		for (unsigned int k = 0; k < 4; k++)
			assert_int_equal(f[k].owner, DOMID_XEN);
		assert_ptr_equal(frames_alloc(2, 0), f);
		assert_true(fake_cpus[0].tlb_time != time); /* each of them counts */
		for (unsigned int k = 0; k < 4; k++)
			assert_int_equal(f[k].type, 0);
	}
	frames_free(f, 2);
	time = fake_cpus[0].tlb_time;
	assert_ptr_equal(frames_alloc(2, 0), f); /* flushed since */
	assert_int_equal(fake_cpus[0].tlb_time, time);
	frames_free(f, 2);
}

static void test_only_dirty_frames_are_cleaned(void **state)
{
	struct frame *f = frames_alloc(0, 0);
	u64 *page = table_of(f);

	assert_true(f->ref & FRAME_DIRTY); /* as at boot */
	page[0] = page[511] = 5;
	frame_clean(f);
	assert_false(f->ref & FRAME_DIRTY);
	assert_int_equal(page[0] | page[511], 0);
	page[0] = 5;
	frame_clean(f);
	assert_int_equal(page[0], 5);
	page[0] = 0;
	frames_free(f, 0);
}

/*
 * What is freed clean stays so, what is dirty does: through the lists, and in blocks that were
 * joined.
 */
static void test_dirt_is_remembered_of_each_frame(void **state)
{
	struct frame *f = frames_alloc(3, 0);

	for (unsigned int i = 0; i < 8; i += 2)
		frame_clean(&f[i]);
	for (unsigned int i = 0; i < 8; i++)
		frames_free(&f[i], 0);
	assert_ptr_equal(frames_alloc(3, 0), f);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(!!(f[i].ref & FRAME_DIRTY), i % 2);
	frames_free(f, 3);
}

/* Records alone, of a machine of 16 GiB: nothing looks into the frames. */
static void test_the_largest_block_is_joined_no_further(void **state)
{
	const u64 nr = 4ULL << MAX_ORDER, half = 2ULL << MAX_ORDER;
	struct frame *was = frame_table, *first, *second;

	frame_table = calloc(nr, sizeof(*frame_table));
	frame_table_nr = nr;
	page_alloc_init();
	page_alloc_add(_mfn(half), _mfn(half + (2ULL << MAX_ORDER)));
	assert_int_equal(page_alloc_total_frames(), 2ULL << MAX_ORDER);
	assert_null(frames_alloc(MAX_ORDER + 1, 0));
	first = frames_alloc(MAX_ORDER, 0);
	second = frames_alloc(MAX_ORDER, 0);
	assert_true(first && second && first != second);
	assert_null(frames_alloc(0, 0));
	assert_int_equal(page_alloc_free_frames(), 0);
	frames_free(first, MAX_ORDER);
	frames_free(second, MAX_ORDER);
	assert_int_equal(frame_order(first), MAX_ORDER);
	assert_int_equal(frame_order(second), MAX_ORDER);
	assert_null(frames_alloc(MAX_ORDER + 1, 0));
	assert_null(frames_alloc(0, PAGE_SHIFT + MAX_ORDER + 1)); /* all of it is above */
	assert_non_null(frames_alloc(0, PAGE_SHIFT + MAX_ORDER + 2));
	free(frame_table);
	frame_table = was;
	machine_reset(0, 1);
}

static void test_a_limit_of_less_than_a_page_is_a_page(void **state)
{
	struct frame *f;

	assert_null(frames_alloc(0, 1)); /* frame 0 is the hypervisor's here */
	page_alloc_add(_mfn(0), _mfn(1));
	f = frames_alloc(0, 1);
	assert_int_equal(mfn_x(frame_to_mfn(f)), 0);
	assert_null(frames_alloc(0, PAGE_SHIFT));
	frames_free(f, 0);
	f = frames_alloc(0, 64); /* more than an address has */
	assert_non_null(f);
	frames_free(f, 0);
	at_start = page_alloc_free_frames();
}

/* As few chunks as there may be, as small as they may be. */
static void test_a_table_has_so_many_chunks_at_the_most(void **state)
{
	static const struct {
		u64 nr;
		unsigned int shift;
	} tables[] = { { 1, 9 }, { FAKE_FRAMES, 9 }, { 2048 << 9, 9 }, { (2048 << 9) + 1, 10 } };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct frame *table = calloc(tables[i].nr, sizeof(*table));
		u64 *m2p = malloc(tables[i].nr * sizeof(*m2p));

		frame_table_init(table, m2p, tables[i].nr * sizeof(*m2p), tables[i].nr);
		assert_int_equal(frame_chunk_shift, tables[i].shift);
		assert_true(frame_chunks() <= 2048);
		assert_int_equal(table[0].owner, DOMID_IO);
		assert_int_equal(table[tables[i].nr - 1].owner, DOMID_IO);
		assert_int_equal(m2p[0] & m2p[tables[i].nr - 1], M2P_INVALID);
		free(table);
		free(m2p);
	}
	machine_reset(0, 1);
}

static void test_what_is_ram_and_what_is_the_table_of_numbers(void **state)
{
	const u64 m2p = mfn_x(virt_to_mfn(m2p_table)), pages = FAKE_FRAMES * 8 / PAGE_SIZE;

	assert_true(mfn_is_ram(_mfn(0)));
	assert_true(mfn_is_ram(_mfn(FAKE_FRAMES - 65)));
	assert_false(mfn_is_ram(_mfn(FAKE_FRAMES - 64))); /* a device's */
	assert_false(mfn_is_ram(_mfn(FAKE_FRAMES)));
	assert_false(mfn_is_ram(_mfn(~0ULL)));
	assert_int_equal(frame_table[15].owner, DOMID_XEN);
	assert_int_equal(frame_table[15].ref & FRAME_DIRTY, 0); /* marked, not added */
	assert_true(frame_table[16].ref & FRAME_DIRTY);
	for (u64 mfn = m2p - 1; mfn <= m2p + pages; mfn++)
		assert_int_equal(mfn_is_m2p(_mfn(mfn)), mfn >= m2p && mfn < m2p + pages);
	/* A last page that is not full is its own too. */
	frame_table_init(frame_table, m2p_table, pages * PAGE_SIZE - 100, FAKE_FRAMES);
	assert_true(mfn_is_m2p(_mfn(m2p + pages - 1)));
	assert_false(mfn_is_m2p(_mfn(m2p + pages)));
	/* What is rounded up to what a toolstack maps belongs to it. */
	frame_table_init(frame_table, m2p_table, (pages + 1) * PAGE_SIZE, FAKE_FRAMES);
	assert_true(mfn_is_m2p(_mfn(m2p + pages)));
	assert_false(mfn_is_m2p(_mfn(m2p + pages + 1)));
	assert_int_equal(m2p_table[(pages + 1) * PAGE_SIZE / sizeof(*m2p_table) - 1], M2P_INVALID);
	machine_reset(0, 1);
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
		CLAIM(test_blocks_overlap_nobody_and_lie_as_they_were_asked_for),
		CLAIM(test_a_block_is_given_out_as_nobodys_and_forgotten_by_the_cpus),
		CLAIM(test_only_dirty_frames_are_cleaned),
		CLAIM(test_dirt_is_remembered_of_each_frame),
		CLAIM(test_the_largest_block_is_joined_no_further),
		CLAIM(test_a_limit_of_less_than_a_page_is_a_page),
		CLAIM(test_a_table_has_so_many_chunks_at_the_most),
		CLAIM(test_what_is_ram_and_what_is_the_table_of_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
