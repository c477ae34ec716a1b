/* SPDX-License-Identifier: MIT */
/*
 * test_xmalloc.c - the hypervisor's own memory: zero, nobody else's, in as few pages as hold it,
 * and all of it comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "x86/tlb.h"

#define HEADER 32 /* of a page of small objects */

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

static u64 pages_used(void)
{
	return at_start - page_alloc_free_frames();
}

static bool is_zero(const u8 *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* What @size takes, and how many of that a page holds. */
static const struct {
	size_t size, taken, per_page;
} sizes[] = {
	{ 0, 32, 127 }, { 1, 32, 127 }, { 32, 32, 127 }, { 33, 64, 63 }, { 64, 64, 63 }, { 65, 128, 31 },
	{ 256, 256, 15 }, { 257, 512, 7 }, { 512, 512, 7 }, { 513, 1024, 3 }, { 1024, 1024, 3 },
};

/* Freed from the first, from the last, and from the middle. */
static void test_small_objects_fill_their_pages_and_leave_them(void **state)
{
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
		for (size_t first_freed = 0; first_freed < 3; first_freed++) {
			const size_t nr = sizes[s].per_page;
			u8 *obj[128];

			for (size_t i = 0; i < nr; i++) {
				obj[i] = xzalloc(sizes[s].size);
				assert_int_equal(pages_used(), 1);
				assert_int_equal((uintptr_t)obj[i] % 16, 0);
				assert_true((uintptr_t)obj[i] % PAGE_SIZE >= HEADER);
				assert_true(is_zero(obj[i], sizes[s].taken));
				memset(obj[i], (int)i + 1, sizes[s].taken);
			}
			obj[nr] = xzalloc(sizes[s].size); /* one more than it holds */
			assert_int_equal(pages_used(), 2);
			for (size_t i = 0; i < nr; i++)
				for (size_t k = 0; k < sizes[s].taken; k++)
					assert_int_equal(obj[i][k], (u8)(i + 1));
			xfree(obj[nr]);
			assert_int_equal(pages_used(), 1);
			/* one that is freed is the next one given */
			xfree(obj[nr / 2]);
			assert_ptr_equal(xzalloc(sizes[s].size), obj[nr / 2]);
			assert_true(is_zero(obj[nr / 2], sizes[s].taken));
			for (size_t i = 0; i < nr; i++) {
				assert_int_equal(pages_used(), 1);
				xfree(obj[(i * 5 + first_freed) % nr]); /* 5: prime to each number */
			}
			assert_int_equal(pages_used(), 0);
		}
}

/* Pages with room are a list: taken out of its ends and its middle, in every order. */
static void test_pages_with_room_are_found_whichever_go(void **state)
{
	static const u8 orders[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 2, 0, 3 }, { 2, 0, 3, 1 }, { 1, 3, 0, 2 } };

	for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
		void *obj[4][3], *more[4];

		for (size_t p = 0; p < 4; p++)
			for (size_t i = 0; i < 3; i++)
				obj[p][i] = xzalloc(1024);
		assert_int_equal(pages_used(), 4);
		for (size_t p = 0; p < 4; p++)
			xfree(obj[p][0]);
		/* room for four, in four pages */
		for (size_t p = 0; p < 4; p++)
			more[p] = xzalloc(1024);
		assert_int_equal(pages_used(), 4);
		for (size_t p = 0; p < 4; p++)
			xfree(more[p]);
		for (size_t k = 0; k < 4; k++) {
			xfree(obj[orders[o][k]][1]);
			assert_int_equal(pages_used(), 4 - k);
			xfree(obj[orders[o][k]][2]);
			assert_int_equal(pages_used(), 3 - k);
		}
		/* and none that went is on it any more */
		more[0] = xzalloc(1024);
		assert_int_equal(pages_used(), 1);
		xfree(more[0]);
		assert_int_equal(pages_used(), 0);
	}
}

static void test_large_objects_are_whole_pages(void **state)
{
	static const struct {
		size_t size, pages;
	} large[] = { { 1025, 1 }, { PAGE_SIZE, 1 }, { PAGE_SIZE + 1, 2 }, { 2 * PAGE_SIZE, 2 }, { 2 * PAGE_SIZE + 1, 4 }, { 5 * PAGE_SIZE, 8 } };

	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		for (int again = 0; again < 2; again++) { /* the second may be given what the first wrote */
			u8 *p = xzalloc(large[i].size);

			assert_int_equal((uintptr_t)p % PAGE_SIZE, 0);
			assert_int_equal(pages_used(), large[i].pages);
			assert_true(is_zero(p, large[i].pages * PAGE_SIZE));
			memset(p, 0xff, large[i].pages * PAGE_SIZE);
			xfree(p);
			assert_int_equal(pages_used(), 0);
		}
	xfree(NULL);
	assert_null(xzalloc((PAGE_SIZE << MAX_ORDER) + 1));
	assert_null(xzalloc(PAGE_SIZE << 12)); /* more than there is */
}

/*
 * Nobody's reference is on them, whatever they were before; and they are remembered as used until
 * now.
 */
static void test_pages_are_the_hypervisors_own_and_go_clean(void **state)
{
	u8 *p = xen_pages_alloc(2);
	u32 before;

	for (unsigned int i = 0; i < 4; i++) {
		struct frame *f = virt_to_frame(p + i * PAGE_SIZE);

		assert_int_equal(f->owner, DOMID_XEN);
		assert_int_equal(frame_refs(f), 0);
		assert_true(is_zero(p + i * PAGE_SIZE, PAGE_SIZE));
		p[i * PAGE_SIZE] = p[i * PAGE_SIZE + PAGE_SIZE - 1] = 1;
		f->type = 7;
	}
	tlb_flush_local_all();
	tlb_flush_local_all();
	before = tlb_clock();
	xen_pages_free(p, 2);
	assert_true(is_zero(p, 4 * PAGE_SIZE));
	for (unsigned int i = 0; i < 4; i++) {
		struct frame *f = virt_to_frame(p + i * PAGE_SIZE);

		assert_int_equal(f->stamp, before);
		if (!(f->ref & FRAME_FREE))
			assert_int_equal(f->type, 0);
	}
}

static void test_memory_ends_by_saying_so(void **state)
{
	static void *got[FAKE_FRAMES];
	size_t nr = 0;

	while ((got[nr] = xen_pages_alloc(0)))
		nr++;
	assert_int_equal(nr, at_start);
	assert_null(xzalloc(8));
	assert_null(xzalloc(2000));
	while (nr-- > 0)
		xen_pages_free(got[nr], 0);
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, ended)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_small_objects_fill_their_pages_and_leave_them),
		CLAIM(test_pages_with_room_are_found_whichever_go),
		CLAIM(test_large_objects_are_whole_pages),
		CLAIM(test_pages_are_the_hypervisors_own_and_go_clean),
		CLAIM(test_memory_ends_by_saying_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
