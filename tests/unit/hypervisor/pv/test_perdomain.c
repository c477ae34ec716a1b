/* SPDX-License-Identifier: MIT */
/*
 * test_perdomain.c - each vcpu's window of descriptor tables: where it is, what is in it at first,
 * and that all of it comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "pv/desc.h"
#include "x86/desc.h"
#include "x86/tlb.h"
#include "x86/tlb_space.h"

#define WINDOW (VCPU_GDT_PAGES + VCPU_LDT_PAGES)
#define PER_PAGE (PT_ENTRIES / WINDOW) /* windows */

static struct domain d;
static u64 at_start;

static int fresh(void **state)
{
	machine_reset(0, 1);
	memset(&d, 0, sizeof(d));
	tlb_space_init(&d.tlb);
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

static struct vcpu vcpu_of(unsigned int id)
{
	return (struct vcpu){ .vcpu_id = id, .domain = &d };
}

static void test_a_window_is_where_the_cpu_looks_and_empty(void **state)
{
	const u64 table = PTE_P | PTE_RW | PTE_A | PTE_D, own = pte_make(desc_hv_gdt_mfn(0), table | PTE_NX);

	assert_int_equal(pv_perdomain_init(&d), 0);
	assert_int_equal(pages_used(), 2);
	assert_int_equal(d.pv.perdomain_l3[0], pte_make(virt_to_mfn(d.pv.perdomain_l2), table));
	for (unsigned int id = 0; id <= PER_PAGE; id++) {
		struct vcpu v = vcpu_of(id);
		u64 *l1;

		for (int again = 0; again < 2; again++) {
			assert_int_equal(pv_window_init(&v), 0);
			assert_int_equal(pages_used(), id < PER_PAGE ? 3 : 4);
			assert_int_equal(d.pv.perdomain_l2[pt_index(VCPU_GDT_VA(id), 2)] & ~PTE_ADDR_MASK, table);
			l1 = mfn_to_virt(pte_mfn(d.pv.perdomain_l2[pt_index(VCPU_GDT_VA(id), 2)]));
			assert_ptr_equal(v.pv.window_l1, &l1[pt_index(VCPU_GDT_VA(id), 1)]);
			for (unsigned int i = 0; i < WINDOW; i++) {
				assert_int_equal(v.pv.window_l1[i], i == HV_GDT_PAGE ? own : 0);
				v.pv.window_l1[i] = 0x123; /* what the one before left */
			}
			if (id % PER_PAGE) /* its neighbour's is as that left it */
				assert_int_equal(v.pv.window_l1[-1], 0x123);
		}
		for (unsigned int i = 0; i < WINDOW; i++)
			v.pv.window_l1[i] = 0x123;
	}
	pv_perdomain_fini(&d);
	assert_int_equal(pages_used(), 0);
}

/* A vcpu made later lies before one that runs: of its window nothing is touched. */
static void test_a_new_window_leaves_the_next_ones_alone(void **state)
{
	struct vcpu first = vcpu_of(0), second = vcpu_of(1);

	assert_int_equal(pv_perdomain_init(&d), 0);
	assert_int_equal(pv_window_init(&second), 0);
	for (unsigned int i = 0; i < WINDOW; i++)
		second.pv.window_l1[i] = 0x123;
	assert_int_equal(pv_window_init(&first), 0);
	assert_ptr_equal(first.pv.window_l1 + WINDOW, second.pv.window_l1);
	for (unsigned int i = 0; i < WINDOW; i++)
		assert_int_equal(second.pv.window_l1[i], 0x123);
	pv_perdomain_fini(&d);
}

static void test_all_of_it_goes_and_no_cpu_walks_it_any_more(void **state)
{
	struct vcpu v = vcpu_of(0);
	u32 time[2];

	assert_int_equal(pv_perdomain_init(&d), 0);
	assert_int_equal(pv_window_init(&v), 0);
	fake_nr_cpus = 2;
	time[0] = fake_cpus[0].tlb_time;
	time[1] = fake_cpus[1].tlb_time;
	pv_perdomain_fini(&d);
	assert_true(fake_cpus[0].tlb_time != time[0] && fake_cpus[1].tlb_time != time[1]);
	assert_null(d.pv.perdomain_l2);
	assert_null(d.pv.perdomain_l3);
	pv_perdomain_fini(&d); /* there is none */
	assert_int_equal(pages_used(), 0);
}

static void test_too_little_memory_is_said_and_kept(void **state)
{
	static void *got[FAKE_FRAMES];
	struct vcpu v = vcpu_of(0);
	unsigned int nr = 0;

	while ((got[nr] = xen_pages_alloc(0)))
		nr++;
	for (unsigned int left = 0; left <= 2; left++) {
		if (left)
			xen_pages_free(got[--nr], 0);
		assert_int_equal(pv_perdomain_init(&d), left < 2 ? -ENOMEM : 0);
		assert_int_equal(page_alloc_free_frames(), left < 2 ? left : 0);
	}
	assert_int_equal(pv_window_init(&v), -ENOMEM);
	assert_int_equal(d.pv.perdomain_l2[pt_index(VCPU_GDT_VA(0), 2)], 0);
	pv_perdomain_fini(&d);
	while (nr-- > 0)
		xen_pages_free(got[nr], 0);
}

/* The hypervisor's descriptors are each CPU's own: looked for again only on another. */
static void test_a_window_follows_its_vcpu_to_another_cpu(void **state)
{
	struct vcpu *v = &fake_vcpu[1];
	u64 *own = &v->pv.window_l1[HV_GDT_PAGE];

	fake_nr_cpus = 3;
	for (fake_cpu_id = 3; fake_cpu_id-- > 0;) {
		pv_window_enter_cpu(v);
		assert_true(mfn_eq(pte_mfn(*own), desc_hv_gdt_mfn(fake_cpu_id)));
		assert_int_equal(*own & ~PTE_ADDR_MASK, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX);
		*own = 5;
		pv_window_enter_cpu(v);
		assert_int_equal(*own, 5);
	}
	fake_cpu_id = 0;
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, ended)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_window_is_where_the_cpu_looks_and_empty),
		CLAIM(test_a_new_window_leaves_the_next_ones_alone),
		CLAIM(test_all_of_it_goes_and_no_cpu_walks_it_any_more),
		CLAIM(test_too_little_memory_is_said_and_kept),
		CLAIM(test_a_window_follows_its_vcpu_to_another_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
