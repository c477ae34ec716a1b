/* SPDX-License-Identifier: MIT */
/*
 * test_layout.c - the layout's arithmetic for kernels of all shapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "guest_ram.h"
#include "make_elf.h"
#include "pv_layout.h"

/* A parsed kernel of a given extent, without the bytes. */
static struct elf64 kernel(uint64_t vbase, uint64_t start, uint64_t end, uint64_t init_p2m)
{
	return (struct elf64){ .virt_base = vbase, .pstart = start, .pend = end, .nr_segments = 1,
			       .entry = vbase + start, .init_p2m = init_p2m,
			       .hypercall_page = ELF64_ADDR_UNSET,
			       .mod_start_pfn = init_p2m != ELF64_ADDR_UNSET };
}

static void assert_apart(const struct pv_area *a, const struct pv_area *b)
{
	assert_true(a == b || !a->nr || !b->nr || a->pfn + a->nr <= b->pfn ||
		    b->pfn + b->nr <= a->pfn);
}

static void check_layout(const struct pv_layout *l)
{
	const struct pv_area *all[] = { &l->kernel, &l->initrd, &l->p2m, &l->start_info, &l->store,
					&l->console, &l->tables, &l->stack };
	uint64_t pfn, tables = 0;

	for (size_t i = 0; i < 8; i++) {
		assert_true(all[i]->pfn + all[i]->nr <= l->nr_pages);
		for (size_t j = 0; j < 8; j++)
			assert_apart(all[i], all[j]);
	}
	assert_true(l->virt_end - (l->stack.vaddr + GUEST_PAGE_SIZE) >= 512 << 10);
	if (l->virt_end % (4 << 20)) {
		uint64_t apart = (l->initrd_mapped ? 0 : l->initrd.nr) +
				 (l->p2m_mapped_apart ? l->p2m.nr : 0);

		assert_int_equal(l->range[0].nr, l->nr_pages - apart);
	}
	assert_int_equal(l->range[0].nr, (l->virt_end - l->virt_base) / GUEST_PAGE_SIZE);
	for (unsigned int level = 1; level <= 4; level++) {
		for (unsigned int i = 0; i < l->nr_tables[level]; i++) {
			const struct pv_tables *t = &l->table[level][i];

			tables += t->last - t->first + 1;
			assert_in_range(t->pfn, l->tables.pfn, l->tables.pfn + l->tables.nr - 1);
		}
	}
	assert_in_range(tables, 4, l->tables.nr);
	assert_true(pv_layout_table(l, 4, l->virt_base, &pfn));
	assert_int_equal(pfn, l->tables.pfn);	/* pt_base is the top table */
	for (unsigned int i = 0; i < l->nr_ranges; i++) {
		uint64_t last = l->range[i].vaddr + l->range[i].nr * GUEST_PAGE_SIZE - 1;

		assert_true(pv_layout_table(l, 1, l->range[i].vaddr, &pfn));
		assert_true(pv_layout_table(l, 1, last, &pfn));
	}
}

static void test_debian_sized_kernels_fit_and_nothing_overlaps(void **state)
{
	/* The amd64 kernel's real extent: 16 MiB to 79 MiB. */
	struct elf64 elf = kernel(0xffffffff80000000, 0x1000000, 0x4e00000, 0x8000000000);
	struct pv_layout l;
	uint64_t need;

	assert_int_equal(pv_layout_plan(&l, &elf, 128 * 256, 9 << 20, &need), 0);
	check_layout(&l);
	assert_true(l.p2m_mapped_apart);
	assert_true(l.p2m.vaddr == 0x8000000000);
	assert_false(l.initrd_mapped);
	assert_true(need <= 128 * 256);
}

static void test_random_kernels_never_make_a_bad_layout(void **state)
{
	unsigned int seed = 1, fitted = 0;

	for (int i = 0; i < 20000; i++) {
		uint64_t start = (uint64_t)(rand_r(&seed) % 0x2000000);
		uint64_t end = start + 1 + (uint64_t)(rand_r(&seed) % 0x4000000);
		struct elf64 elf = kernel(rand_r(&seed) & 1 ? 0xffffffff80000000 : 0, start, end,
					  rand_r(&seed) & 1 ? 0x8000000000 : ELF64_ADDR_UNSET);
		uint64_t nr = 1 + (uint64_t)(rand_r(&seed) % (64 * 256)), need = 0;
		struct pv_layout l;
		int err = pv_layout_plan(&l, &elf, nr, (uint64_t)(rand_r(&seed) % 0x800000), &need);

		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_true(need > nr);
			continue;
		}
		fitted++;
		check_layout(&l);
	}
	assert_true(fitted > 1000);
}

static void test_the_needed_size_is_exact(void **state)
{
	struct elf64 elf = kernel(0xffffffff80000000, 0x100000, 0x900000, 0x8000000000);
	struct pv_layout l;
	uint64_t need = 0, again;

	assert_int_equal(pv_layout_plan(&l, &elf, 16, 1 << 20, &need), -ENOMEM);
	/* A larger domain has a larger p2m: grow until it holds itself. */
	while (pv_layout_plan(&l, &elf, need, 1 << 20, &again) == -ENOMEM)
		need = again;
	assert_int_equal(pv_layout_plan(&l, &elf, need - 1, 1 << 20, &again), -ENOMEM);
}

static void test_impossible_addresses_are_refused(void **state)
{
	static const struct { uint64_t vbase, init_p2m; } bad[] = {
		{ 0xffff800000000000, ELF64_ADDR_UNSET },	/* the hypervisor's own */
		{ 0xffff87ffffc00000, ELF64_ADDR_UNSET },
		{ 0x0000800000000000, ELF64_ADDR_UNSET },	/* not canonical */
		{ 0x00007fffffff0000, ELF64_ADDR_UNSET },	/* ends not canonical */
		{ 0xffffffff80000800, ELF64_ADDR_UNSET },	/* not a page */
		{ 0xfffffffffffff000, ELF64_ADDR_UNSET },	/* wraps */
		{ 0xffffffff80000000, 0xffffffff80200000 },	/* p2m inside the kernel */
		{ 0xffffffff80000000, 0xffff810000000000 },
		{ 0xffffffff80000000, 0x8000000001 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct elf64 elf = kernel(bad[i].vbase, 0x100000, 0x200000, bad[i].init_p2m);
		struct pv_layout l;
		uint64_t need;

		assert_int_equal(pv_layout_plan(&l, &elf, 32 * 256, 0, &need), -EINVAL);
	}
}

static void test_entry_and_hypercall_page_must_lie_in_the_kernel(void **state)
{
	struct elf64 elf = kernel(0, 0, 0x10000, ELF64_ADDR_UNSET);
	struct pv_layout l;
	uint64_t need;

	elf.hypercall_page = 0x3000;
	assert_int_equal(pv_layout_plan(&l, &elf, 32 * 256, 0, &need), 0);
	assert_int_equal(l.hypercall_pfn, 3);
	elf.hypercall_page = 0x10000;
	assert_int_equal(pv_layout_plan(&l, &elf, 32 * 256, 0, &need), -EINVAL);
	elf.hypercall_page = 0x3008;
	assert_int_equal(pv_layout_plan(&l, &elf, 32 * 256, 0, &need), -EINVAL);
	elf.hypercall_page = ELF64_ADDR_UNSET;
	elf.entry = 0x10000;
	assert_int_equal(pv_layout_plan(&l, &elf, 32 * 256, 0, &need), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debian_sized_kernels_fit_and_nothing_overlaps),
		cmocka_unit_test(test_random_kernels_never_make_a_bad_layout),
		cmocka_unit_test(test_the_needed_size_is_exact),
		cmocka_unit_test(test_impossible_addresses_are_refused),
		cmocka_unit_test(test_entry_and_hypercall_page_must_lie_in_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
