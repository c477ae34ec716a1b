/* SPDX-License-Identifier: MIT */
/*
 * test_pv_layout.c - the layout's arithmetic for kernels of all shapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "lib/pv_layout.h"

/* A parsed kernel of a given extent, without the bytes. */
static struct xen_image kernel(uint64_t vbase, uint64_t start, uint64_t end, uint64_t init_p2m)
{
	return (struct xen_image){ .virt_base = vbase, .start = start, .end = end,
				   .entry = vbase + start, .init_p2m = init_p2m,
				   .hypercall_page = XEN_IMAGE_UNSET,
				   .initrd_unmapped = init_p2m != XEN_IMAGE_UNSET };
}

static int plan(struct pv_layout *l, const struct xen_image *x, uint64_t nr_pages,
		uint64_t initrd_len, uint64_t *needed)
{
	struct pv_wish wish = { .nr_pages = nr_pages, .initrd_len = initrd_len, .has_rings = true };

	return pv_layout_plan(l, x, &wish, needed);
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
		assert_true(all[i]->pfn + all[i]->nr <= l->wish.nr_pages);
		for (size_t j = 0; j < 8; j++)
			assert_apart(all[i], all[j]);
	}
	assert_true(l->virt_end - (l->stack.vaddr + PAGE_SIZE) >= 512 << 10);
	if (l->virt_end % (4 << 20)) {
		uint64_t apart = (l->initrd_mapped ? 0 : l->initrd.nr) +
				 (l->p2m_mapped_apart ? l->p2m.nr : 0);

		assert_int_equal(l->range[0].nr, l->wish.nr_pages - apart);
	}
	assert_int_equal(l->range[0].nr, (l->virt_end - l->virt_base) / PAGE_SIZE);
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
		uint64_t last = l->range[i].vaddr + l->range[i].nr * PAGE_SIZE - 1;

		assert_true(pv_layout_table(l, 1, l->range[i].vaddr, &pfn));
		assert_true(pv_layout_table(l, 1, last, &pfn));
	}
}

static void test_debian_sized_kernels_fit_and_nothing_overlaps(void **state)
{
	/* The amd64 kernel's real extent: 16 MiB to 79 MiB. */
	struct xen_image x = kernel(0xffffffff80000000, 0x1000000, 0x4e00000, 0x8000000000);
	struct pv_layout l;
	uint64_t need;

	assert_int_equal(plan(&l, &x, 128 * 256, 9 << 20, &need), 0);
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
		struct xen_image x = kernel(rand_r(&seed) & 1 ? 0xffffffff80000000 : 0, start, end,
					    rand_r(&seed) & 1 ? 0x8000000000 : XEN_IMAGE_UNSET);
		uint64_t nr = 1 + (uint64_t)(rand_r(&seed) % (64 * 256)), need = 0;
		struct pv_layout l;
		int err = plan(&l, &x, nr, (uint64_t)(rand_r(&seed) % 0x800000), &need);

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
	struct xen_image x = kernel(0xffffffff80000000, 0x100000, 0x900000, 0x8000000000);
	struct pv_layout l;
	uint64_t need = 0, again;

	assert_int_equal(plan(&l, &x, 16, 1 << 20, &need), -ENOMEM);
	/* A larger domain has a larger p2m: grow until it holds itsx. */
	while (plan(&l, &x, need, 1 << 20, &again) == -ENOMEM)
		need = again;
	assert_int_equal(plan(&l, &x, need - 1, 1 << 20, &again), -ENOMEM);
}

static void test_impossible_addresses_are_refused(void **state)
{
	static const struct { uint64_t vbase, init_p2m; } bad[] = {
		{ 0xffff800000000000, XEN_IMAGE_UNSET },	/* the hypervisor's own */
		{ 0xffff87ffffc00000, XEN_IMAGE_UNSET },
		{ 0x0000800000000000, XEN_IMAGE_UNSET },	/* not canonical */
		{ 0x00007fffffff0000, XEN_IMAGE_UNSET },	/* ends not canonical */
		{ 0xffffffff80000800, XEN_IMAGE_UNSET },	/* not a page */
		{ 0xfffffffffffff000, XEN_IMAGE_UNSET },	/* wraps */
		{ 0xffffffff80000000, 0xffffffff80200000 },	/* p2m inside the kernel */
		{ 0xffffffff80000000, 0xffff810000000000 },
		{ 0xffffffff80000000, 0x8000000001 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xen_image x = kernel(bad[i].vbase, 0x100000, 0x200000, bad[i].init_p2m);
		struct pv_layout l;
		uint64_t need;

		assert_int_equal(plan(&l, &x, 32 * 256, 0, &need), -EINVAL);
	}
}

static void test_the_hypercall_page_must_lie_in_the_kernel(void **state)
{
	struct xen_image x = kernel(0, 0, 0x10000, XEN_IMAGE_UNSET);
	struct pv_layout l;
	uint64_t need;

	x.hypercall_page = 0x3000;
	assert_int_equal(plan(&l, &x, 32 * 256, 0, &need), 0);
	assert_int_equal(l.hypercall_pfn, 3);
	x.hypercall_page = 0x10000;
	assert_int_equal(plan(&l, &x, 32 * 256, 0, &need), -EINVAL);
	x.hypercall_page = 0x3008;
	assert_int_equal(plan(&l, &x, 32 * 256, 0, &need), -EINVAL);
}

/* What the tables map, walked as the CPU does; pfn = mfn - 1000. */
static bool walk(const struct pv_layout *l, const uint64_t *p2m, uint64_t va, uint64_t *entry)
{
	uint64_t table[PV_LAYOUT_ENTRIES], pfn = l->table[PV_LEVELS][0].pfn;

	for (unsigned int level = PV_LEVELS; level >= 1; level--) {
		unsigned int run = 0;

		while (pfn < l->table[level][run].pfn ||
		       pfn > l->table[level][run].pfn + l->table[level][run].last -
				       l->table[level][run].first)
			if (++run == l->nr_tables[level])
				return false;
		pv_layout_fill(l, p2m, level, run, pfn - l->table[level][run].pfn, table);
		*entry = table[va >> (3 + 9 * level) & (PV_LAYOUT_ENTRIES - 1)];
		if (!(*entry & 1))
			return false;
		pfn = (*entry >> PAGE_SHIFT) - 1000;
	}
	return true;
}

/* dom0's of a kernel in Linux's shape, then of one that leaves out all it may. */
static void test_the_tables_map_what_the_layout_says_and_themselves_read_only(void **state)
{
	static const struct { uint64_t vbase, init_p2m; } kernels[] = {
		{ 0xffffffff80000000, 0x8000000000 }, { 0, XEN_IMAGE_UNSET },
		{ 0x40000000 - 0x300000, XEN_IMAGE_UNSET },	/* over the end of a level-2 table */
	};
	uint64_t nr = 64 * 256, *p2m = malloc(nr * sizeof(*p2m)), entry, needed;

	for (uint64_t i = 0; i < nr; i++)
		p2m[i] = 1000 + i;
	for (size_t k = 0; k < 3; k++) {
		struct xen_image x = kernel(kernels[k].vbase, 0x100000, 0x900000, kernels[k].init_p2m);
		struct pv_wish wish = { .nr_pages = nr, .initrd_len = 5 << 20 };
		struct pv_layout l;

		assert_int_equal(pv_layout_plan(&l, &x, &wish, &needed), 0);
		check_layout(&l);
		assert_int_equal(l.store.nr + l.console.nr, 0);
		assert_int_equal(l.initrd_mapped, k > 0);
		for (unsigned int r = 0; r < l.nr_ranges; r++) {
			for (uint64_t i = 0; i < l.range[r].nr; i += 1 + i % 7) {
				uint64_t pfn = l.range[r].pfn + i;
				bool is_table = pfn >= l.tables.pfn && pfn < l.tables.pfn + l.tables.nr;

				assert_true(walk(&l, p2m, l.range[r].vaddr + i * PAGE_SIZE, &entry));
				assert_int_equal(entry >> PAGE_SHIFT, 1000 + pfn);
				assert_int_equal(entry & 2, is_table ? 0 : 2);
			}
			assert_false(walk(&l, p2m, l.range[r].vaddr + l.range[r].nr * PAGE_SIZE, &entry));
		}
	}
	free(p2m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debian_sized_kernels_fit_and_nothing_overlaps),
		cmocka_unit_test(test_random_kernels_never_make_a_bad_layout),
		cmocka_unit_test(test_the_needed_size_is_exact),
		cmocka_unit_test(test_impossible_addresses_are_refused),
		cmocka_unit_test(test_the_hypercall_page_must_lie_in_the_kernel),
		cmocka_unit_test(test_the_tables_map_what_the_layout_says_and_themselves_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
