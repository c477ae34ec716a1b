/* SPDX-License-Identifier: MIT */
/*
 * Claims about grant_table_op: statuses at the ends of each number, batches that cannot be read or
 * told, and copies byte by byte.
 * ABI: xen/grant_table.h; security.md C31 to C37.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/gnttab.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/layout.h"

#define NOWHERE 16 /* no memory of a guest's */
#define FIRST 8
#define OUTSIDE GRANTS_PER_FRAME /* the table has one frame */

static struct domain *d1;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 1);
	return 0;
}

static int teardown(void **state)
{
	world.pte_map_fails = false;
	return world_end() != 0;
}

static long grants(u32 cmd, const void *op, u64 count)
{
	return hypercall(__HYPERVISOR_grant_table_op, cmd, GUEST(op), count, 0);
}

static grant_entry_v1_t *entry(grant_ref_t ref)
{
	return &d1->gnttab->shared[0][ref];
}

static struct frame *grant(grant_ref_t ref, u16 flags)
{
	struct frame *f = world_page(d1);

	*entry(ref) = (grant_entry_v1_t){ .flags = GTF_permit_access | flags, .domid = 0, .frame = (u32)mfn_x(frame_to_mfn(f)) };
	return f;
}

static void test_lists_that_cannot_be_read_are_efault(void **state)
{
	static const u32 cmds[] = { GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_unmap_and_replace,
				    GNTTABOP_setup_table, GNTTABOP_copy, GNTTABOP_query_size, GNTTABOP_swap_grant_ref,
				    GNTTABOP_set_version, GNTTABOP_get_version };

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		long rc = grants(cmds[i], (void *)NOWHERE, 1);

		if (rc != -EFAULT)
			fail_msg("grant_table_op %u: %ld", cmds[i], rc);
		assert_int_equal(grants(cmds[i], (void *)NOWHERE, 1ULL << 31), -EINVAL);
	}
	for (u32 cmd = 0; cmd < 40; cmd++) {
		bool is_known = cmd == GNTTABOP_cache_flush;

		for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
			is_known |= cmd == cmds[i];
		assert_int_equal(grants(cmd, (void *)NOWHERE, 0) == -ENOSYS, !is_known);
	}
	assert_int_equal(grants(GNTTABOP_cache_flush, NULL, 1), -EOPNOTSUPP);
	assert_int_equal(grants(GNTTABOP_setup_table, NULL, 2), -EINVAL);
	assert_int_equal(grants(GNTTABOP_query_size, NULL, 2), -EINVAL);
}

/* An answer that has no place is EFAULT, and not the answer. */
static void test_answers_that_cannot_be_written_are_efault(void **state)
{
	static const u32 cmds[] = { GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_unmap_and_replace,
				    GNTTABOP_setup_table, GNTTABOP_copy, GNTTABOP_query_size, GNTTABOP_swap_grant_ref,
				    GNTTABOP_set_version, GNTTABOP_get_version };
	u8 *op = guest_alloc(256);

	world.is_read_only = true;
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		if (grants(cmds[i], op, 1) != -EFAULT)
			fail_msg("grant_table_op %u", cmds[i]);
	world.is_read_only = false;
}

static void test_a_map_says_what_is_wrong(void **state)
{
	static const struct {
		struct gnttab_map_grant_ref op;
		s16 status;
	} cases[] = {
		{ { .dom = 1, .ref = FIRST, .flags = 0 }, GNTST_bad_gntref }, /* of no kind */
		{ { .dom = 1, .ref = FIRST, .flags = GNTMAP_readonly }, GNTST_bad_gntref },
		{ { .dom = 77, .ref = FIRST, .flags = GNTMAP_host_map }, GNTST_bad_domain },
		{ { .dom = 1, .ref = OUTSIDE, .flags = GNTMAP_host_map }, GNTST_bad_gntref },
		{ { .dom = 1, .ref = ~0u, .flags = GNTMAP_host_map }, GNTST_bad_gntref },
		{ { .dom = 1, .ref = OUTSIDE - 1, .flags = GNTMAP_host_map }, GNTST_general_error }, /* there, and nothing granted */
		{ { .dom = 1, .ref = FIRST + 1, .flags = GNTMAP_device_map }, GNTST_general_error }, /* no memory */
		{ { .dom = 1, .ref = FIRST + 2, .flags = GNTMAP_device_map | GNTMAP_readonly }, GNTST_general_error }, /* another's frame */
		{ { .dom = 1, .ref = FIRST + 3, .flags = GNTMAP_host_map }, GNTST_general_error }, /* for reading only */
		{ { .dom = 1, .ref = FIRST + 4, .flags = GNTMAP_host_map }, GNTST_general_error }, /* to another */
	};
	struct gnttab_map_grant_ref *op = guest_alloc(sizeof(*op));

	grant(FIRST, 0);
	grant(FIRST + 1, 0);
	entry(FIRST + 1)->frame = ~0u;
	grant(FIRST + 2, 0);
	entry(FIRST + 2)->frame = (u32)mfn_x(frame_to_mfn(world_page(dom0)));
	grant(FIRST + 3, GTF_readonly);
	grant(FIRST + 4, 0);
	entry(FIRST + 4)->domid = 2;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		*op = cases[i].op;
		op->handle = 5;
		op->dev_bus_addr = 5;
		assert_int_equal(grants(GNTTABOP_map_grant_ref, op, 1), 0);
		if (op->status != cases[i].status)
			fail_msg("case %zu: %d, not %d", i, op->status, cases[i].status);
		assert_int_equal(op->handle, ~0u);
		assert_int_equal(op->dev_bus_addr, 0);
	}
	for (grant_ref_t ref = FIRST; ref < FIRST + 5; ref++) /* as if nobody had asked */
		assert_int_equal(entry(ref)->flags & (GTF_reading | GTF_writing), 0);
	assert_int_equal(dom0->gnttab->nr_mapped, 0);
}

/* xen/grant_table.h: a device map and a host map are two; a failure of the second leaves none. */
static void test_a_map_that_half_fails_leaves_nothing(void **state)
{
	struct gnttab_map_grant_ref *op = guest_alloc(sizeof(*op));
	struct frame *f = grant(FIRST, 0);

	world.pte_map_fails = true;
	*op = (struct gnttab_map_grant_ref){ .dom = 1, .ref = FIRST, .flags = GNTMAP_host_map | GNTMAP_device_map };
	assert_int_equal(grants(GNTTABOP_map_grant_ref, op, 1), 0);
	assert_int_equal(op->status, GNTST_bad_virt_addr);
	assert_int_equal(frame_ref_count(f), 1);
	assert_int_equal(frame_type_count(f), 0);
	assert_int_equal(entry(FIRST)->flags, GTF_permit_access);
	world.pte_map_fails = false;
}

static struct gnttab_map_grant_ref map_of(u32 flags)
{
	struct gnttab_map_grant_ref *op = guest_alloc(sizeof(*op));

	*op = (struct gnttab_map_grant_ref){ .dom = 1, .ref = FIRST, .flags = flags, .host_addr = 0x1000 };
	assert_int_equal(grants(GNTTABOP_map_grant_ref, op, 1), 0);
	assert_int_equal(op->status, GNTST_okay);
	return *op;
}

static s16 unmap(grant_handle_t handle, u64 host_addr, u64 dev_bus_addr)
{
	struct gnttab_unmap_grant_ref *op = guest_alloc(sizeof(*op));

	*op = (struct gnttab_unmap_grant_ref){ .host_addr = host_addr, .dev_bus_addr = dev_bus_addr, .handle = handle, .status = 99 };
	assert_int_equal(grants(GNTTABOP_unmap_grant_ref, op, 1), 0);
	return op->status;
}

static const struct grant_pins *pins_of(grant_ref_t ref)
{
	return &d1->gnttab->active[0][ref].pins;
}

static void test_an_unmap_undoes_what_is_named_and_no_more(void **state)
{
	struct frame *f = grant(FIRST, 0);
	struct gnttab_map_grant_ref m = map_of(GNTMAP_host_map | GNTMAP_device_map);

	assert_int_equal(frame_ref_count(f), 3);
	assert_int_equal(pins_of(FIRST)->host_write, 1);
	assert_int_equal(pins_of(FIRST)->dev_write, 1);
	assert_int_equal(unmap(m.handle + 1, 0x1000, 0), GNTST_bad_handle);
	assert_int_equal(unmap(~0u, 0x1000, 0), GNTST_bad_handle);
	assert_int_equal(unmap(m.handle, 0, m.dev_bus_addr + PAGE_SIZE), GNTST_general_error);
	assert_int_equal(unmap(m.handle, 0, 0), GNTST_okay); /* names nothing */
	assert_int_equal(frame_ref_count(f), 3);
	assert_int_equal(unmap(m.handle, 0, m.dev_bus_addr), GNTST_okay);
	assert_int_equal(frame_ref_count(f), 2);
	assert_int_equal(pins_of(FIRST)->host_write, 1);
	assert_int_equal(pins_of(FIRST)->dev_write, 0);
	assert_int_equal(entry(FIRST)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(unmap(m.handle, 0x1000, 0), GNTST_okay);
	assert_int_equal(frame_ref_count(f), 1);
	assert_int_equal(entry(FIRST)->flags, GTF_permit_access);
	assert_int_equal(unmap(m.handle, 0x1000, 0), GNTST_bad_handle);
}

/*
 * An entry is taken out as it was put in: by its address or by the entry's, for user mode or not,
 * writable or not.
 */
static void test_an_unmap_is_of_the_kind_that_was_mapped(void **state)
{
	static const u32 kinds[] = { 0, GNTMAP_application_map, GNTMAP_contains_pte, GNTMAP_readonly,
				     GNTMAP_application_map | GNTMAP_contains_pte | GNTMAP_readonly };

	grant(FIRST, 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct gnttab_map_grant_ref m = map_of(GNTMAP_host_map | kinds[i]);

		assert_int_equal(world.pte_flags, GNTMAP_host_map | kinds[i]);
		world.pte_flags = 0;
		assert_int_equal(unmap(m.handle, 0x1000, 0), GNTST_okay);
		assert_int_equal(world.pte_flags, GNTMAP_host_map | kinds[i]);
	}
}

/* The last writer goes, a reader stays: xen/grant_table.h, GTF_writing. */
static void test_flags_say_who_is_left(void **state)
{
	struct frame *f = grant(FIRST, 0);
	struct gnttab_map_grant_ref r = map_of(GNTMAP_host_map | GNTMAP_readonly), w = map_of(GNTMAP_host_map),
				    w2 = map_of(GNTMAP_device_map);

	assert_int_equal(entry(FIRST)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(frame_type_count(f), 2);
	assert_int_equal(unmap(w.handle, 0x1000, 0), GNTST_okay);
	assert_int_equal(entry(FIRST)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(unmap(w2.handle, 0, w2.dev_bus_addr), GNTST_okay);
	assert_int_equal(entry(FIRST)->flags, GTF_permit_access | GTF_reading);
	assert_int_equal(frame_type_count(f), 0);
	assert_int_equal(unmap(r.handle, 0x1000, 0), GNTST_okay);
	assert_int_equal(entry(FIRST)->flags, GTF_permit_access);
}

/* A batch ends where it cannot be read; what came before is done, and flushed. */
static void test_a_batch_goes_as_far_as_it_can_be_read(void **state)
{
	const size_t size = sizeof(struct gnttab_unmap_grant_ref);
	struct gnttab_unmap_grant_ref *op = (void *)(guest_mem + sizeof(guest_mem) - size);
	struct frame *f = grant(FIRST, 0);
	struct gnttab_map_grant_ref m = map_of(GNTMAP_host_map);
	unsigned int flushes = world.flushes;

	*op = (struct gnttab_unmap_grant_ref){ .host_addr = 0x1000, .handle = m.handle };
	assert_int_equal(grants(GNTTABOP_unmap_grant_ref, op, 2), -EFAULT);
	assert_int_equal(op->status, GNTST_okay);
	assert_int_equal(frame_ref_count(f), 1);
	assert_true(world.flushes > flushes);
}

static struct gnttab_copy copy_of(u32 from, u32 to, u32 len, u16 flags)
{
	return (struct gnttab_copy){ .source = { .u.ref = FIRST, .domid = 1, .offset = (u16)from },
				     .dest = { .u.ref = FIRST + 1, .domid = 1, .offset = (u16)to }, .len = (u16)len, .flags = flags };
}

static s16 copy(struct gnttab_copy c)
{
	struct gnttab_copy *op = guest_alloc(sizeof(*op));

	*op = c;
	op->status = 99;
	assert_int_equal(grants(GNTTABOP_copy, op, 1), 0);
	return op->status;
}

static void test_a_copy_is_of_bytes_of_one_page(void **state)
{
	static const struct {
		u32 from, to, len;
		s16 status;
	} cases[] = {
		{ 0, 0, PAGE_SIZE, GNTST_okay }, { 1, 0, PAGE_SIZE, GNTST_bad_copy_arg }, { 0, 1, PAGE_SIZE, GNTST_bad_copy_arg },
		{ PAGE_SIZE - 1, 0, 1, GNTST_okay }, { 0, PAGE_SIZE - 1, 1, GNTST_okay }, { PAGE_SIZE - 1, 0, 2, GNTST_bad_copy_arg },
		{ 0, PAGE_SIZE - 1, 2, GNTST_bad_copy_arg }, { 0xffff, 0, 1, GNTST_bad_copy_arg }, { 0, 0xffff, 1, GNTST_bad_copy_arg },
		{ PAGE_SIZE, PAGE_SIZE, 0, GNTST_okay }, { 100, 200, 300, GNTST_okay },
	};
	struct frame *from = grant(FIRST, GTF_readonly), *to = grant(FIRST + 1, 0);
	u8 *source = mfn_to_virt(frame_to_mfn(from)), *dest = mfn_to_virt(frame_to_mfn(to));

	for (size_t i = 0; i < PAGE_SIZE; i++)
		source[i] = (u8)(i * 7 + i / 256 + 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const u32 at = cases[i].to, len = cases[i].status == GNTST_okay ? cases[i].len : 0;
		s16 rc;

		memset(dest, 0xee, PAGE_SIZE);
		rc = copy(copy_of(cases[i].from, at, cases[i].len, GNTCOPY_source_gref | GNTCOPY_dest_gref));
		if (rc != cases[i].status)
			fail_msg("case %zu: %d", i, rc);
		for (u32 b = 0; b < PAGE_SIZE; b++)
			if (dest[b] != (b >= at && b < at + len ? source[cases[i].from + b - at] : 0xee))
				fail_msg("case %zu: byte %u", i, b);
		assert_int_equal(frame_ref_count(from), 1);
		assert_int_equal(frame_ref_count(to), 1);
		assert_int_equal(frame_type_count(to), 0);
		assert_int_equal(entry(FIRST)->flags | entry(FIRST + 1)->flags, GTF_permit_access | GTF_readonly);
	}
}

static void test_a_copy_says_what_is_wrong(void **state)
{
	const struct gnttab_copy good = copy_of(0, 0, 8, GNTCOPY_source_gref | GNTCOPY_dest_gref);
	struct gnttab_copy bad = good;
	struct frame *own = world_page(dom0);

	grant(FIRST, 0);
	grant(FIRST + 1, GTF_readonly);
	bad.flags |= 4;
	assert_int_equal(copy(bad), GNTST_bad_copy_arg);
	assert_int_equal(copy(good), GNTST_general_error); /* to where it may only be read */
	bad = good;
	bad.source.domid = 77;
	assert_int_equal(copy(bad), GNTST_bad_domain);
	bad = good;
	bad.dest.domid = 77;
	assert_int_equal(copy(bad), GNTST_bad_domain);
	bad = good;
	bad.flags = GNTCOPY_dest_gref; /* another's frame by its number */
	bad.source.u.gmfn = mfn_x(frame_to_mfn(own));
	assert_int_equal(copy(bad), GNTST_permission_denied);
	bad.source.domid = DOMID_SELF;
	bad.source.u.gmfn = ~0ULL >> 12;
	assert_int_equal(copy(bad), GNTST_general_error);
	bad.source.u.gmfn = mfn_x(frame_to_mfn(own));
	bad.dest.u.ref = FIRST;
	assert_int_equal(copy(bad), GNTST_okay);
	bad.source.u.gmfn = entry(FIRST)->frame; /* not one's own */
	assert_int_equal(copy(bad), GNTST_general_error);
	assert_int_equal(frame_ref_count(own), 1);
	assert_int_equal(entry(FIRST)->flags, GTF_permit_access);
}

static void test_the_size_of_a_table_is_told(void **state)
{
	struct gnttab_query_size *q = guest_alloc(sizeof(*q));
	struct gnttab_setup_table *t = guest_alloc(sizeof(*t));
	struct gnttab_get_version *v = guest_alloc(sizeof(*v));
	xen_pfn_t *list = guest_alloc(5 * sizeof(*list));

	*q = (struct gnttab_query_size){ .dom = 1, .status = 99 };
	assert_int_equal(grants(GNTTABOP_query_size, q, 1), 0);
	assert_int_equal(q->status, GNTST_okay);
	assert_int_equal(q->nr_frames, 1);
	assert_int_equal(q->max_nr_frames, 4);
	q->dom = 77;
	assert_int_equal(grants(GNTTABOP_query_size, q, 1), 0);
	assert_int_equal(q->status, GNTST_bad_domain);
	*t = (struct gnttab_setup_table){ .dom = 1, .nr_frames = 4 };
	set_xen_guest_handle(t->frame_list, list);
	assert_int_equal(grants(GNTTABOP_setup_table, t, 1), 0);
	assert_int_equal(t->status, GNTST_okay);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(list[i], mfn_x(virt_to_mfn(d1->gnttab->shared[i])));
	assert_int_equal(list[4], 0);
	t->nr_frames = 5;
	assert_int_equal(grants(GNTTABOP_setup_table, t, 1), 0);
	assert_int_equal(t->status, GNTST_general_error);
	t->nr_frames = 1;
	t->frame_list.p = (void *)NOWHERE;
	assert_int_equal(grants(GNTTABOP_setup_table, t, 1), 0);
	assert_int_equal(t->status, GNTST_bad_virt_addr);
	*v = (struct gnttab_get_version){ .dom = 77 };
	assert_int_equal(grants(GNTTABOP_get_version, v, 1), -ESRCH);
	v->dom = 1;
	assert_int_equal(grants(GNTTABOP_get_version, v, 1), 0);
	assert_int_equal(v->version, 1);
	world_run(d1->vcpu[0]);
	*q = (struct gnttab_query_size){ .dom = 0 };
	assert_int_equal(grants(GNTTABOP_query_size, q, 1), 0);
	assert_int_equal(q->status, GNTST_permission_denied);
	world_run(dom0->vcpu[0]);
}

static void test_versions_are_refused_and_the_one_there_is_told(void **state)
{
	static const struct {
		u32 version;
		long rc;
	} cases[] = { { 0, -EINVAL }, { 1, 0 }, { 2, -ENOSYS }, { 3, -EINVAL } };
	struct gnttab_set_version *v = guest_alloc(sizeof(*v));

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		v->version = cases[i].version;
		assert_int_equal(grants(GNTTABOP_set_version, v, 1), cases[i].rc);
		assert_int_equal(v->version, 1);
	}
}

static s16 swap(grant_ref_t a, grant_ref_t b)
{
	struct gnttab_swap_grant_ref *op = guest_alloc(sizeof(*op));

	*op = (struct gnttab_swap_grant_ref){ .ref_a = a, .ref_b = b, .status = 99 };
	world_run(d1->vcpu[0]);
	assert_int_equal(grants(GNTTABOP_swap_grant_ref, op, 1), 0);
	world_run(dom0->vcpu[0]);
	return op->status;
}

static void test_entries_in_use_do_not_change_places(void **state)
{
	static const u32 kinds[] = { GNTMAP_host_map, GNTMAP_host_map | GNTMAP_readonly, GNTMAP_device_map,
				     GNTMAP_device_map | GNTMAP_readonly };

	grant(FIRST, 0);
	assert_int_equal(swap(FIRST, OUTSIDE), GNTST_bad_gntref);
	assert_int_equal(swap(OUTSIDE, FIRST), GNTST_bad_gntref);
	assert_int_equal(swap(FIRST, OUTSIDE - 1), GNTST_okay);
	assert_int_equal(entry(FIRST)->flags, 0);
	assert_int_equal(swap(FIRST, OUTSIDE - 1), GNTST_okay);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct gnttab_map_grant_ref m = map_of(kinds[i]);

		assert_int_equal(swap(FIRST, FIRST + 1), GNTST_eagain);
		assert_int_equal(swap(FIRST + 1, FIRST), GNTST_eagain);
		assert_int_equal(unmap(m.handle, kinds[i] & GNTMAP_host_map ? 0x1000 : 0,
				       kinds[i] & GNTMAP_device_map ? m.dev_bus_addr : 0), GNTST_okay);
	}
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lists_that_cannot_be_read_are_efault),
		T(test_answers_that_cannot_be_written_are_efault),
		T(test_a_map_says_what_is_wrong),
		T(test_a_map_that_half_fails_leaves_nothing),
		T(test_an_unmap_undoes_what_is_named_and_no_more),
		T(test_an_unmap_is_of_the_kind_that_was_mapped),
		T(test_flags_say_who_is_left),
		T(test_a_batch_goes_as_far_as_it_can_be_read),
		T(test_a_copy_is_of_bytes_of_one_page),
		T(test_a_copy_says_what_is_wrong),
		T(test_the_size_of_a_table_is_told),
		T(test_versions_are_refused_and_the_one_there_is_told),
		T(test_entries_in_use_do_not_change_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
