/* SPDX-License-Identifier: MIT */
/* Claims about the grant table: pins, references, batches and deaths, through the hypercall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/gnttab.h"
#include "hypercall/debug_keys.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/layout.h"

#define STEP_BLOCKS 4 /* a vcpu's */
#define LAST_BLOCKS 16

static struct domain *d1;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 1);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(world_end(), 0);
	return 0;
}

static grant_entry_v1_t *entry(grant_ref_t ref)
{
	return &d1->gnttab->shared[0][ref];
}

/* d1 grants a new page to dom0. */
static struct frame *grant(grant_ref_t ref, u16 flags)
{
	struct frame *f = world_page(d1);

	entry(ref)->domid = 0;
	entry(ref)->frame = mfn_x(frame_to_mfn(f));
	entry(ref)->flags = GTF_permit_access | flags;
	return f;
}

static struct gnttab_map_grant_ref map(grant_ref_t ref, u32 flags)
{
	struct gnttab_map_grant_ref *op = guest_alloc(sizeof(*op));

	*op = (struct gnttab_map_grant_ref){
		.host_addr = 0x10000, .flags = flags, .ref = ref, .dom = 1, .status = 99};
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, GUEST(op),
				   1, 0), 0);
	return *op;
}

static s16 unmap(grant_handle_t handle, u64 host_addr, u64 dev_bus_addr)
{
	struct gnttab_unmap_grant_ref *op = guest_alloc(sizeof(*op));

	*op = (struct gnttab_unmap_grant_ref){
		.host_addr = host_addr, .dev_bus_addr = dev_bus_addr, .handle = handle};
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, GUEST(op),
				   1, 0), 0);
	return op->status;
}

static u64 refs(const struct frame *f)
{
	return frame_ref_count(f);
}

static void test_a_writable_map_holds_a_reference_and_the_write_type(void **state)
{
	struct frame *f = grant(8, 0);
	struct gnttab_map_grant_ref op = map(8, GNTMAP_host_map);

	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(op.dev_bus_addr, mfn_to_maddr(frame_to_mfn(f)));
	assert_int_equal(refs(f), 2);
	assert_int_equal(frame_type_count(f), 1);
	assert_int_equal(entry(8)->flags, GTF_permit_access | GTF_reading | GTF_writing);

	assert_int_equal(unmap(op.handle, 0x10000, 0), GNTST_okay);
	assert_int_equal(refs(f), 1);
	assert_int_equal(frame_type_count(f), 0);
	assert_int_equal(entry(8)->flags, GTF_permit_access);
	assert_int_equal(world.pte_maps, 0);
}

static void test_a_read_only_map_takes_no_write_type(void **state)
{
	struct frame *f = grant(8, GTF_readonly);
	struct gnttab_map_grant_ref op = map(8, GNTMAP_host_map | GNTMAP_readonly);

	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(frame_type_count(f), 0);
	assert_int_equal(entry(8)->flags, GTF_permit_access | GTF_readonly | GTF_reading);
	assert_int_equal(unmap(op.handle, 0x10000, 0), GNTST_okay);
}

static void test_what_was_not_granted_is_not_mapped(void **state)
{
	struct frame *f = grant(8, GTF_readonly);

	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_general_error);
	entry(8)->domid = 5;
	assert_int_equal(map(8, GNTMAP_host_map | GNTMAP_readonly).status, GNTST_general_error);
	entry(8)->domid = 0;
	entry(8)->flags = GTF_invalid;
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_general_error);
	entry(8)->flags = GTF_permit_access;
	entry(8)->frame = WORLD_FRAMES - 1; /* device memory */
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_general_error);
	entry(8)->frame = 0xffffffff;
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_general_error);
	entry(8)->frame = mfn_x(virt_to_mfn(dom0->shared_info)); /* another's page */
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_general_error);
	entry(8)->frame = mfn_x(virt_to_mfn(d1->shared_info)); /* the hypervisor's */
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_general_error);
	assert_int_equal(map(512, GNTMAP_host_map).status, GNTST_bad_gntref);
	assert_int_equal(map(~0u, GNTMAP_host_map).status, GNTST_bad_gntref);
	assert_int_equal(map(8, 0).status, GNTST_bad_gntref);
	assert_int_equal(refs(f), 1);
	assert_int_equal(entry(8)->flags, GTF_permit_access);
	assert_int_equal(dom0->gnttab->nr_mapped, 0);
}

static void test_a_page_table_cannot_be_mapped_writable(void **state)
{
	struct frame *f = grant(8, 0);

	f->type = (u32)FT_L1 << FT_SHIFT | FT_VALID | 1;
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_general_error);
	assert_int_equal(refs(f), 1);
	assert_int_equal(entry(8)->flags, GTF_permit_access);
	f->type = 0;
}

static void test_a_failed_page_table_write_leaves_nothing(void **state)
{
	struct frame *f = grant(8, 0);

	world.pte_map_fails = true;
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_bad_virt_addr);
	assert_int_equal(map(8, GNTMAP_host_map | GNTMAP_device_map).status, GNTST_bad_virt_addr);
	assert_int_equal(refs(f), 1);
	assert_int_equal(frame_type_count(f), 0);
	assert_int_equal(entry(8)->flags, GTF_permit_access);
}

static void test_host_and_device_maps_are_counted_apart(void **state)
{
	struct frame *f = grant(8, 0);
	struct gnttab_map_grant_ref op = map(8, GNTMAP_host_map | GNTMAP_device_map);

	assert_int_equal(refs(f), 3);
	assert_int_equal(unmap(op.handle, 0x10000, 0), GNTST_okay);
	assert_int_equal(refs(f), 2);
	assert_true(entry(8)->flags & GTF_writing);
	assert_int_equal(unmap(op.handle, 0, op.dev_bus_addr + PAGE_SIZE), GNTST_general_error);
	assert_int_equal(unmap(op.handle, 0, op.dev_bus_addr), GNTST_okay);
	assert_int_equal(refs(f), 1);
	assert_false(entry(8)->flags & (GTF_writing | GTF_reading));
	assert_int_equal(unmap(op.handle, 0x10000, 0), GNTST_bad_handle);
}

static void test_two_maps_of_one_grant_release_it_only_together(void **state)
{
	struct frame *f = grant(8, 0);
	grant_handle_t a = map(8, GNTMAP_host_map).handle;
	grant_handle_t b = map(8, GNTMAP_host_map | GNTMAP_readonly).handle;

	assert_int_not_equal(a, b);
	assert_int_equal(unmap(a, 0x10000, 0), GNTST_okay);
	assert_int_equal(entry(8)->flags, GTF_permit_access | GTF_reading);
	assert_int_equal(unmap(b, 0x10000, 0), GNTST_okay);
	assert_int_equal(entry(8)->flags, GTF_permit_access);
	assert_int_equal(refs(f), 1);
}

static void test_changing_the_entry_while_pinned_changes_nothing(void **state)
{
	struct frame *f = grant(8, 0), *other = world_page(d1);
	grant_handle_t a = map(8, GNTMAP_host_map).handle;
	struct gnttab_map_grant_ref again;

	entry(8)->frame = mfn_x(frame_to_mfn(other));
	again = map(8, GNTMAP_host_map);
	assert_int_equal(again.status, GNTST_okay);
	assert_int_equal(again.dev_bus_addr, mfn_to_maddr(frame_to_mfn(f)));
	assert_int_equal(refs(other), 1);
	unmap(a, 0x10000, 0);
	unmap(again.handle, 0x10000, 0);
	assert_int_equal(refs(f), 1);
}

static void test_a_refused_unmap_keeps_the_mapping(void **state)
{
	struct frame *f = grant(8, 0);
	grant_handle_t a = map(8, GNTMAP_host_map).handle;

	world.pte_unmap_fails = true;
	assert_int_equal(unmap(a, 0x10000, 0), GNTST_bad_virt_addr);
	assert_int_equal(refs(f), 2);
	world.pte_unmap_fails = false;
	assert_int_equal(unmap(a, 0x10000, 0), GNTST_okay);
	assert_int_equal(unmap(12345678, 0x10000, 0), GNTST_bad_handle);
}

static void test_one_handle_twice_in_a_batch_is_undone_once(void **state)
{
	struct gnttab_unmap_grant_ref *ops = guest_alloc(2 * sizeof(*ops));
	struct frame *f = grant(8, 0);
	grant_handle_t a = map(8, GNTMAP_host_map).handle, b = map(8, GNTMAP_host_map).handle;

	ops[0] = ops[1] = (struct gnttab_unmap_grant_ref){ .host_addr = 0x10000, .handle = a };
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref,
				   GUEST(ops), 2, 0), 0);
	assert_int_equal(ops[0].status, GNTST_okay);
	assert_int_equal(ops[1].status, GNTST_bad_handle);
	assert_int_equal(refs(f), 2);
	assert_int_equal(frame_type_count(f), 1);
	assert_int_equal(unmap(b, 0x10000, 0), GNTST_okay);
	assert_int_equal(refs(f), 1);
}

static void test_an_unmap_batch_flushes_before_it_drops_references(void **state)
{
	struct gnttab_unmap_grant_ref *ops = guest_alloc(40 * sizeof(*ops));

	for (grant_ref_t i = 0; i < 40; i++) {
		grant(8 + i, 0);
		ops[i] = (struct gnttab_unmap_grant_ref){
			.host_addr = 0x10000, .handle = map(8 + i, GNTMAP_host_map).handle};
	}
	world.flushes = 0;
	world.preempt = true; /* stops after every batch, and still ends */
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref,
				   GUEST(ops), 40, 0), 0);
	assert_int_equal(world.flushes, 2);
	for (int i = 0; i < 40; i++)
		assert_int_equal(ops[i].status, GNTST_okay);
	assert_int_equal(dom0->gnttab->nr_mapped, 0);
	world.preempt = false;
}

static void test_a_dead_granters_page_stays_until_the_mapper_lets_go(void **state)
{
	struct frame *f = grant(8, 0);
	grant_handle_t a = map(8, GNTMAP_host_map).handle;

	while (domain_kill(d1) == -ERESTART)
		;
	assert_non_null(domain_find(1));
	assert_int_equal(refs(f), 1);
	assert_int_equal(map(8, GNTMAP_host_map).status, GNTST_bad_domain);
	assert_int_equal(unmap(a, 0x10000, 0), GNTST_okay);
	assert_null(domain_find(1));
}

static void test_a_dead_mapper_gives_everything_back(void **state)
{
	struct domain *d2 = world_domain(2, 1);
	struct frame *f = grant(8, 0);

	entry(8)->domid = 2;
	world_run(d2->vcpu[0]);
	assert_int_equal(map(8, GNTMAP_host_map | GNTMAP_device_map).status, GNTST_okay);
	world_run(dom0->vcpu[0]);
	while (domain_kill(d2) == -ERESTART)
		;
	assert_null(domain_find(2));
	assert_int_equal(refs(f), 1);
	assert_int_equal(entry(8)->flags, GTF_permit_access);
}

/* Whichever handles are in use: of some numbers it has none. */
static void test_a_dead_mappers_handles_are_released_in_steps(void **state)
{
	struct domain *d2 = world_domain(2, 1);
	struct frame *f = grant(8, 0);
	u64 bus = mfn_to_maddr(frame_to_mfn(f));
	u32 left;

	entry(8)->domid = 2;
	world_run(d2->vcpu[0]);
	for (grant_handle_t i = 0; i < MAPTRACK_PER_PAGE; i++)
		assert_int_equal(map(8, GNTMAP_device_map).handle, i);
	for (grant_handle_t i = 63; i < MAPTRACK_PER_PAGE; i += 64)
		assert_int_equal(unmap(i, 0, bus), GNTST_okay);
	world_run(dom0->vcpu[0]);
	left = d2->gnttab->nr_mapped;
	world.preempt = true;
	while (domain_kill(d2) == -ERESTART) {
		assert_true(left - d2->gnttab->nr_mapped <= 64);
		left = d2->gnttab->nr_mapped;
	}
	world.preempt = false;
	assert_true(left <= 64);
	assert_null(domain_find(2));
	assert_int_equal(refs(f), 1);
}

/* What a guest made large is freed, and thereby made zero, with looks whether others wait. */
static void test_a_dead_domains_tables_are_freed_in_steps(void **state)
{
	struct domain *d2 = world_domain(2, 1);
	long left;
	u64 free;

	grant(8, 0);
	entry(8)->domid = 2;
	assert_int_equal(gnttab_grow(d2, d2->gnttab->max_frames), 0);
	world_run(d2->vcpu[0]);
	for (grant_handle_t i = 0; i < 4 * MAPTRACK_PER_PAGE; i++)
		assert_int_equal(map(8, GNTMAP_device_map).handle, i);
	world_run(dom0->vcpu[0]);
	world.preempt = true;
	do {
		left = world_blocks;
		free = page_alloc_free_frames();
	} while (domain_kill(d2) == -ERESTART && left - world_blocks <= STEP_BLOCKS &&
		 page_alloc_free_frames() - free <= 1);
	world.preempt = false;
	assert_null(domain_find(2));
	/* at last what each domain has, be it large or small */
	assert_true(left - world_blocks < LAST_BLOCKS);
}

/*
 * Whoever maps one frame of a domain's keeps it when it is dead, as long as he likes; started anew,
 * there is the next.
 * So of the dead one there is hardly more than that frame: no vcpu, no page of its grant table but
 * the one in use, be it the last, not even shared_info.
 */
static void test_of_a_dead_domain_that_is_kept_little_is_left(void **state)
{
	const u32 last = d1->gnttab->max_frames - 1;
	const u64 before = page_alloc_free_frames();
	const long blocks = world_blocks;
	struct frame *f = world_page(d1);
	grant_entry_v1_t *e;
	grant_handle_t a;

	assert_int_equal(gnttab_grow(d1, d1->gnttab->max_frames), 0);
	e = &d1->gnttab->shared[last][7];
	*e = (grant_entry_v1_t){ .frame = (u32)mfn_x(frame_to_mfn(f)), .flags = GTF_permit_access };
	a = map(last * GRANTS_PER_FRAME + 7, GNTMAP_host_map).handle;
	while (domain_kill(d1) == -ERESTART)
		;
	assert_ptr_equal(domain_find(1), d1);
	assert_null(d1->vcpu[0]);
	assert_null(d1->shared_info);
	for (u32 i = 0; i < last; i++)
		assert_true(!d1->gnttab->shared[i] && !d1->gnttab->active[i]);
	/* the frame, the page of grants; less of everything else than it had to begin with */
	assert_true(before - page_alloc_free_frames() <= 2);
	assert_true(world_blocks < blocks);
	assert_int_equal(refs(f), 1);
	for (const char *key = "egmq"; *key; key++) /* who asks what there is, is told */
		assert_true(debug_key(*key));
	assert_int_equal(unmap(a, 0x10000, 0), GNTST_okay);
	assert_null(domain_find(1));
}

static void test_copy_moves_bytes_between_grant_and_own_page(void **state)
{
	struct gnttab_copy *op = guest_alloc(sizeof(*op));
	struct frame *f = grant(8, 0), *mine = world_page(dom0);

	memcpy((char *)mfn_to_virt(frame_to_mfn(mine)) + 100, "hello", 5);
	*op = (struct gnttab_copy){
		.source = { .u.gmfn = mfn_x(frame_to_mfn(mine)), .domid = DOMID_SELF, .offset = 100 },
		.dest = { .u.ref = 8, .domid = 1, .offset = 4091 },
		.len = 5, .flags = GNTCOPY_dest_gref};
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, GUEST(op), 1, 0), 0);
	assert_int_equal(op->status, GNTST_okay);
	assert_memory_equal((char *)mfn_to_virt(frame_to_mfn(f)) + 4091, "hello", 5);
	assert_int_equal(entry(8)->flags, GTF_permit_access);
	assert_int_equal(refs(f), 1);
	assert_int_equal(refs(mine), 1);
}

static void test_copy_beyond_the_page_or_into_what_is_not_ours_is_refused(void **state)
{
	struct gnttab_copy *op = guest_alloc(sizeof(*op));
	struct frame *f = grant(8, GTF_readonly), *mine = world_page(dom0);
	struct gnttab_copy good = {
		.source = { .u.gmfn = mfn_x(frame_to_mfn(mine)), .domid = DOMID_SELF },
		.dest = { .u.ref = 8, .domid = 1 }, .len = 5, .flags = GNTCOPY_dest_gref};
	struct {
		struct gnttab_copy op;
		s16 status;
	} cases[5] = { { good, GNTST_general_error }, { good, GNTST_bad_copy_arg },
		       { good, GNTST_bad_copy_arg }, { good, GNTST_permission_denied },
		       { good, GNTST_bad_domain } };

	cases[1].op.dest.offset = 4092;
	cases[2].op.len = 0xffff;
	cases[3].op.source.domid = 1;
	cases[3].op.source.u.gmfn = mfn_x(frame_to_mfn(f));
	cases[4].op.dest.domid = 9;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		*op = cases[i].op;
		hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, GUEST(op), 1, 0);
		assert_int_equal(op->status, cases[i].status);
	}
	assert_int_equal(refs(f), 1);
	assert_int_equal(refs(mine), 1);
}

static void test_the_table_grows_to_its_limit_and_no_further(void **state)
{
	struct gnttab_setup_table *op = guest_alloc(sizeof(*op));
	xen_pfn_t *list = guest_alloc(8 * sizeof(*list));

	op->dom = 1;
	op->nr_frames = 4;
	op->frame_list.p = list;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, GUEST(op), 1, 0);
	assert_int_equal(op->status, GNTST_okay);
	assert_int_equal(list[3], mfn_x(virt_to_mfn(d1->gnttab->shared[3])));
	op->nr_frames = 5;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, GUEST(op), 1, 0);
	assert_int_equal(op->status, GNTST_general_error);
	assert_int_equal(d1->gnttab->nr_frames, 4);
	world_run(d1->vcpu[0]);
	op->dom = 0;
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, GUEST(op), 1, 0);
	assert_int_equal(op->status, GNTST_permission_denied);
	world_run(dom0->vcpu[0]);
}

static void test_swap_exchanges_two_idle_entries(void **state)
{
	grant_entry_v1_t before[2];

	grant(8, 0);
	grant(9, GTF_readonly);
	before[0] = *entry(8);
	before[1] = *entry(9);
	assert_int_equal(gnttab_swap(d1, 8, 9), GNTST_okay);
	assert_memory_equal(entry(8), &before[1], sizeof(before[1]));
	assert_memory_equal(entry(9), &before[0], sizeof(before[0]));
	map(9, GNTMAP_host_map);
	assert_int_equal(gnttab_swap(d1, 8, 9), GNTST_eagain);
	assert_int_equal(gnttab_swap(d1, 8, 100000), GNTST_bad_gntref);
}

static void test_only_version_one_exists(void **state)
{
	struct gnttab_set_version *op = guest_alloc(sizeof(*op));

	op->version = 2;
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_set_version, GUEST(op), 1,
				   0), -ENOSYS);
	assert_int_equal(op->version, 1);
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_set_version, GUEST(op), 1,
				   0), 0);
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_transfer, GUEST(op), 1, 0),
			 -ENOSYS);
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, 16, 1, 0),
			 -EFAULT);
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, 16,
				   0x80000000, 0), -EINVAL);
}

/* Of a domain that mapped something: all its pages go with the table. */
static void test_a_table_goes_with_what_it_tracked(void **state)
{
	struct domain *d2 = world_domain(2, 1);
	const long blocks = world_blocks;

	d2->gnttab->nr_maptrack_pages = 3;
	for (u32 i = 0; i < d2->gnttab->nr_maptrack_pages; i++)
		d2->gnttab->maptrack[i] = xzalloc_array(struct maptrack, MAPTRACK_PER_PAGE);
	assert_true(d2->gnttab->max_maptrack_pages > 3);
	d2->gnttab->maptrack[3] = (struct maptrack *)8; /* behind the last: whatever it is, it is no page */
	assert_true(gnttab_fini(d2));
	assert_null(d2->gnttab);
	assert_true(world_blocks < blocks);
	assert_int_equal(gnttab_init(d2), 0);
}

/*
 * What others may write is told of every grant, a frame of them a step where somebody waits, and at
 * once where nobody does.
 */
static void test_writers_are_noted_in_steps(void **state)
{
	const u32 nr = 3;
	struct frame *f = grant(8, 0);
	struct gnttab_map_grant_ref m = map(8, GNTMAP_host_map);
	unsigned int steps = 0;
	u64 cursor = 0;

	assert_int_equal(gnttab_grow(d1, nr), 0);
	f->ref &= ~FRAME_WRITTEN;
	assert_int_equal(gnttab_note_writers(d1, &cursor), 0);
	assert_true(f->ref & FRAME_WRITTEN);
	assert_int_equal(cursor, nr * GRANTS_PER_FRAME);
	f->ref &= ~FRAME_WRITTEN;
	cursor = 0;
	world.preempt = true;
	while (gnttab_note_writers(d1, &cursor) == -ERESTART)
		assert_int_equal(cursor, ++steps * GRANTS_PER_FRAME);
	world.preempt = false;
	assert_int_equal(steps, nr);
	assert_true(f->ref & FRAME_WRITTEN);
	assert_int_equal(unmap(m.handle, 0x10000, 0), GNTST_okay);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_writable_map_holds_a_reference_and_the_write_type),
		T(test_a_table_goes_with_what_it_tracked),
		T(test_writers_are_noted_in_steps),
		T(test_a_read_only_map_takes_no_write_type),
		T(test_what_was_not_granted_is_not_mapped),
		T(test_a_page_table_cannot_be_mapped_writable),
		T(test_a_failed_page_table_write_leaves_nothing),
		T(test_host_and_device_maps_are_counted_apart),
		T(test_two_maps_of_one_grant_release_it_only_together),
		T(test_changing_the_entry_while_pinned_changes_nothing),
		T(test_a_refused_unmap_keeps_the_mapping),
		T(test_one_handle_twice_in_a_batch_is_undone_once),
		T(test_an_unmap_batch_flushes_before_it_drops_references),
		T(test_a_dead_granters_page_stays_until_the_mapper_lets_go),
		T(test_a_dead_mapper_gives_everything_back),
		T(test_a_dead_mappers_handles_are_released_in_steps),
		T(test_a_dead_domains_tables_are_freed_in_steps),
		T(test_of_a_dead_domain_that_is_kept_little_is_left),
		T(test_copy_moves_bytes_between_grant_and_own_page),
		T(test_copy_beyond_the_page_or_into_what_is_not_ours_is_refused),
		T(test_the_table_grows_to_its_limit_and_no_further),
		T(test_swap_exchanges_two_idle_entries),
		T(test_only_version_one_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
