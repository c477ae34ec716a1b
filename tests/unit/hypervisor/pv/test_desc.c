/* SPDX-License-Identifier: MIT */
/*
 * test_desc.c - a guest's descriptors: what one may say, whose frames its tables are, and what the
 * CPU sees of them. Intel SDM vol. 3, 3.4.5; security.md D7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "domain/frame_ref.h"
#include "domain/hc_args.h"
#include "guest.h"
#include "pv/desc.h"
#include "x86/asm.h"

#define P (1ULL << 47)
#define S (1ULL << 44)
#define DPL(n) ((u64)(n) << 45)
#define TYPE(n) ((u64)(n) << 40)
#define REST 0x00cf00000000ffffULL /* base, limit and the flags, which are the guest's */
#define NOT_RAM (FAKE_FRAMES - 1ULL)
#define GDT_MAX 7168 /* the hypervisor's own are behind */
#define LDT_VA (16 * PAGE_SIZE)
#define WINDOW_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

static struct tree t;
static struct frame *page, *theirs;
static struct pv_vcpu *pv;

static int fresh(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	t = tree_new(1);
	page = frame_new(1);
	theirs = frame_new(2);
	pv = &current->pv;
	return install(&t);
}

static int audited(void **state)
{
	unsigned int wrong = audit(NULL, NULL);

	machine_free();
	return wrong != 0;
}

static long put(u64 maddr, u64 desc)
{
	return call(hc_update_descriptor, maddr, desc, 0, 0);
}

static void test_a_descriptor_is_taken_as_far_as_it_is_harmless(void **state)
{
	const u64 *slot = &table_of(page)[5];

	for (u64 type = 0; type < 16; type++)
		for (u64 dpl = 0; dpl < 4; dpl++) {
			const u64 d = REST | DPL(dpl) | TYPE(type);

			table_of(page)[5] = 0;
			assert_int_equal(put(maddr_of(page, 5), d), 0); /* not present: anything */
			assert_int_equal(*slot, d);
			assert_int_equal(put(maddr_of(page, 5), d | S), 0);
			assert_int_equal(*slot, d | S);
			/* code or data: in the guest's ring, and never to be written by the CPU */
			assert_int_equal(put(maddr_of(page, 5), d | S | P), 0);
			assert_int_equal(*slot, REST | S | P | DPL(3) | TYPE(type | 1));
			table_of(page)[5] = 7;
			assert_int_equal(put(maddr_of(page, 5), d | P), type ? -EINVAL : 0); /* a gate, a TSS, an LDT; none */
			assert_int_equal(*slot, type ? 7 : d | P);
		}
}

static void test_a_descriptor_goes_into_plain_memory_or_a_table_of_them(void **state)
{
	struct frame *seg = frame_new(1);
	const struct {
		u64 maddr;
		long rc;
	} puts[] = {
		{ maddr_of(page, 0), 0 }, { maddr_of(page, 511), 0 }, { maddr_of(seg, 3), 0 }, { maddr_of(page, 0) + 4, -EINVAL },
		{ maddr_of(page, 0) + 1, -EINVAL }, { NOT_RAM << PAGE_SHIFT, -EINVAL }, { maddr_of(theirs, 0), -EINVAL },
		{ maddr_of(t.l1, 0), -EINVAL }, { maddr_of(t.l4, 0), -EINVAL },
	};

	assert_int_equal(frame_get_and_type(seg, current->domain, FT_SEG), 0);
	page->ref &= ~FRAME_WRITTEN;
	for (size_t i = 0; i < ARRAY_SIZE(puts); i++)
		if (put(puts[i].maddr, REST | S | P) != puts[i].rc)
			fail_msg("%zu", i);
	assert_true(page->ref & FRAME_WRITTEN);
	assert_int_equal(frame_type_of(page), FT_WR);
	assert_int_equal(frame_type_of(seg), FT_SEG);
	assert_int_equal(frame_type_count(seg), 1);
	frame_put_and_type(seg);
	assert_int_equal(put(maddr_of(seg, 3), REST), 0); /* of nobody's any more: plain memory */
	assert_int_equal(frame_type_of(seg), FT_WR);
}

static void test_a_table_of_descriptors_is_looked_through_to_its_end(void **state)
{
	const u64 gate = REST | P | TYPE(14);

	for (unsigned int i = 0; i < 512; i += 511) {
		table_of(page)[i] = gate;
		assert_int_equal(frame_get_and_type(page, current->domain, FT_SEG), -EINVAL);
		table_of(page)[i] = 0;
	}
	table_of(page)[511] = REST | S | P;
	page->ref &= ~FRAME_WRITTEN;
	assert_int_equal(frame_get_and_type(page, current->domain, FT_SEG), 0);
	assert_int_equal(table_of(page)[511], REST | S | P | DPL(3) | TYPE(1));
	assert_true(page->ref & FRAME_WRITTEN);
	frame_put_and_type(page);
}

/* --- the GDT --- */

static u64 mfns[16];

static long set_gdt(u64 nr)
{
	return call(hc_set_gdt, (u64)(uintptr_t)mfns, nr, 0, 0);
}

/* A page of descriptors is judged by what is in it. */
static void test_a_table_ends_with_its_page(void **state)
{
	struct frame *other = frame_new(1);
	u64 *behind = table_of(page) + PT_ENTRIES, kept = *behind;

	mfns[0] = mfn_x(frame_to_mfn(page));
	*behind = REST | P | TYPE(12); /* a gate, which no guest has */
	assert_int_equal(set_gdt(1), 0);
	pv_gdt_clear(current);
	*behind = kept;
	table_of(other)[PT_ENTRIES - 1] = REST | P | TYPE(12);
	mfns[0] = mfn_x(frame_to_mfn(other));
	assert_int_equal(set_gdt(1), -EINVAL);
}

static void test_a_gdt_is_as_many_frames_as_its_entries_need(void **state)
{
	static const struct {
		u32 entries, frames;
	} sizes[] = { { 0, 0 }, { 1, 1 }, { 512, 1 }, { 513, 2 }, { 1024, 2 }, { GDT_MAX - 512, 13 }, { GDT_MAX - 511, 14 }, { GDT_MAX, 14 } };
	struct frame *f[14];

	for (unsigned int i = 0; i < 14; i++) {
		f[i] = frame_new(1);
		mfns[i] = mfn_x(frame_to_mfn(f[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		fake_cpu.gdt_va = 0;
		assert_int_equal(set_gdt(sizes[i].entries), 0);
		assert_int_equal(fake_cpu.gdt_va, VCPU_GDT_VA(0));
		assert_int_equal(pv->nr_gdt_entries, sizes[i].entries);
		for (unsigned int k = 0; k < 14; k++) {
			bool is_in = k < sizes[i].frames;

			assert_int_equal(frame_type_count(f[k]), is_in);
			assert_int_equal(pv->window_l1[k], is_in ? pte_make(frame_to_mfn(f[k]), WINDOW_FLAGS) : 0);
		}
	}
	/* what is refused leaves it, and what was taken of it is let go */
	fake_cpu.gdt_va = 0;
	assert_int_equal(set_gdt(GDT_MAX + 1), -EINVAL);
	mfns[1] = mfn_x(frame_to_mfn(theirs));
	assert_int_equal(set_gdt(1024), -EINVAL);
	mfns[1] = NOT_RAM;
	assert_int_equal(set_gdt(1024), -EINVAL);
	mfns[0] = NOT_RAM;
	assert_int_equal(set_gdt(1024), -EINVAL);
	assert_int_equal(call(hc_set_gdt, HV_HOLE_START, 1, 0, 0), -EFAULT);
	assert_int_equal(fake_cpu.gdt_va, 0);
	assert_int_equal(pv->nr_gdt_entries, GDT_MAX);
	for (unsigned int k = 0; k < 14; k++)
		assert_int_equal(frame_ref_count(f[k]), 2);
	assert_int_equal(pv_gdt_set(current, mfns, GDT_MAX + 1), -EINVAL); /* as a context does */
	pv_gdt_clear(current);
	assert_int_equal(pv->nr_gdt_entries, 0);
	for (unsigned int k = 0; k < 14; k++) {
		assert_int_equal(frame_ref_count(f[k]), 1);
		assert_null(pv->gdt_frame[k]);
	}
}

/* --- the LDT --- */

static u64 ldt_entry(unsigned int i)
{
	return table_of(t.l1)[16 + i];
}

static void test_an_ldt_is_a_range_of_the_guests_own(void **state)
{
	static const struct {
		u64 va;
		u32 nr;
		long rc;
	} sets[] = {
		{ LDT_VA, 0, 0 }, { LDT_VA, 1, 0 }, { LDT_VA, 8192, 0 }, { LDT_VA, 8193, -EINVAL }, { LDT_VA + 8, 1, -EINVAL }, { LDT_VA + 2048, 0, -EINVAL },
		{ HV_HOLE_START, 1, -EINVAL }, { HV_HOLE_START, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const u64 base = pv->ldt_base;
		const u32 entries = pv->nr_ldt_entries;

		fake_cpu.ldt_va = 0;
		if (pv_ldt_set(current, sets[i].va, sets[i].nr) != sets[i].rc)
			fail_msg("%zu", i);
		assert_int_equal(pv->ldt_base, sets[i].rc ? base : sets[i].va);
		assert_int_equal(pv->nr_ldt_entries, sets[i].rc ? entries : sets[i].nr);
		assert_int_equal(fake_cpu.ldt_va, sets[i].rc ? 0 : VCPU_LDT_VA(0));
	}
	/* another vcpu's is loaded when that runs */
	fake_cpu.ldt_va = 0;
	assert_int_equal(pv_ldt_set(&fake_vcpu[FAKE_DOMAINS + 1], LDT_VA, 5), 0);
	assert_int_equal(fake_cpu.ldt_va, 0);
}

static void test_the_ldts_frames_are_found_when_the_cpu_looks_for_them(void **state)
{
	const u32 nr = 512 + 10;
	struct frame *second = frame_new(1);

	assert_int_equal(update(maddr_of(t.l1, 16), entry_to(page, RO), DOMID_SELF), 0);
	assert_int_equal(pv_ldt_set(current, LDT_VA, nr), 0);
	assert_true(pv_ldt_map(0));
	assert_ptr_equal(pv->ldt_frame[0], page);
	assert_int_equal(pv->window_l1[VCPU_GDT_PAGES], pte_make(frame_to_mfn(page), WINDOW_FLAGS));
	assert_int_equal(frame_type_of(page), FT_SEG);
	assert_false(pv_ldt_map(8)); /* it is there */
	assert_int_equal(frame_type_count(page), 1);
	assert_false(pv_ldt_map(PAGE_SIZE)); /* nothing is mapped */
	assert_int_equal(update(maddr_of(t.l1, 17), entry_to(t.l2, RO), DOMID_SELF), 0);
	assert_false(pv_ldt_map(PAGE_SIZE)); /* a table of another kind */
	assert_int_equal(update(maddr_of(t.l1, 17), entry_to(second, RO), DOMID_SELF), 0);
	assert_false(pv_ldt_map(nr * 8)); /* behind the end */
	assert_true(pv_ldt_map(nr * 8 - 1));
	assert_ptr_equal(pv->ldt_frame[1], second);
	assert_int_equal(pv->window_l1[VCPU_GDT_PAGES + 1], pte_make(frame_to_mfn(second), WINDOW_FLAGS));
	/* the same again changes nothing; another lets go of both */
	assert_int_equal(pv_ldt_set(current, LDT_VA, nr), 0);
	assert_ptr_equal(pv->ldt_frame[1], second);
	assert_int_equal(pv_ldt_set(current, LDT_VA, nr - 1), 0);
	assert_null(pv->ldt_frame[0]);
	assert_null(pv->ldt_frame[1]);
	assert_int_equal(pv->window_l1[VCPU_GDT_PAGES] | pv->window_l1[VCPU_GDT_PAGES + 1], 0);
	assert_int_equal(frame_type_count(page) + frame_type_count(second), 0);
	assert_int_equal(ldt_entry(0) & PTE_ADDR_MASK, entry_to(page, 0));
	assert_int_equal(pv_ldt_set(current, LDT_VA + PAGE_SIZE, nr - 1), 0);
	assert_true(pv_ldt_map(0));
	assert_ptr_equal(pv->ldt_frame[0], second);
	pv_ldt_clear(current);
	assert_int_equal(pv->nr_ldt_entries, 0);
}

/* A selector that is loaded looks into the window, where there is nothing until the fault is mended. */
static void test_a_fault_in_the_ldts_window_is_mended_where_there_is_an_ldt(void **state)
{
	const u64 window = VCPU_LDT_VA(current->vcpu_id), nr = 512 + 10;
	struct frame *second = frame_new(1);

	assert_int_equal(update(maddr_of(t.l1, 16), entry_to(page, RO), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 17), entry_to(second, RO), DOMID_SELF), 0);
	assert_int_equal(pv_ldt_set(current, LDT_VA, nr), 0);
	assert_false(pv_fixup_hv_fault(window, 1)); /* it was there: something else is wrong */
	assert_false(pv_fixup_hv_fault(window - 1, 0));
	assert_false(pv_fixup_hv_fault(window + VCPU_LDT_PAGES * PAGE_SIZE, 0));
	assert_false(pv_fixup_hv_fault(window + nr * 8, 0));
	assert_null(pv->ldt_frame[0]);
	assert_true(pv_fixup_hv_fault(window + PAGE_SIZE + 8, 0));
	assert_null(pv->ldt_frame[0]);
	assert_ptr_equal(pv->ldt_frame[1], second);
	assert_true(pv_fixup_hv_fault(window, 0));
	assert_ptr_equal(pv->ldt_frame[0], page);
	pv_ldt_clear(current);
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, audited)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_descriptor_is_taken_as_far_as_it_is_harmless),
		CLAIM(test_a_descriptor_goes_into_plain_memory_or_a_table_of_them),
		CLAIM(test_a_table_of_descriptors_is_looked_through_to_its_end),
		CLAIM(test_a_table_ends_with_its_page),
		CLAIM(test_a_gdt_is_as_many_frames_as_its_entries_need),
		CLAIM(test_an_ldt_is_a_range_of_the_guests_own),
		CLAIM(test_the_ldts_frames_are_found_when_the_cpu_looks_for_them),
		CLAIM(test_a_fault_in_the_ldts_window_is_mended_where_there_is_an_ldt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
