/* SPDX-License-Identifier: MIT */
/*
 * Claims about memory_op's facts: maps, numbers, claims, resources. ABI: xen/memory.h;
 * docs/hypercalls.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/memory.h>

#include "domain/gnttab.h"
#include "domain/memory.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "x86/e820.h"
#include "x86/layout.h"

#define NOWHERE ((void *)16) /* no memory of a guest's */

static struct domain *d1;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 1);
	return 0;
}

static int teardown(void **state)
{
	return world_end() != 0;
}

static void test_the_memory_map_of_the_machine_is_dom0s(void **state)
{
	struct xen_memory_map *map = guest_alloc(sizeof(*map));
	struct e820_entry *e = guest_alloc(2 * sizeof(*e));

	*map = (struct xen_memory_map){ .nr_entries = machine_e820.nr - 1, .buffer.p = e };
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, GUEST(map), 0, 0), -ENOBUFS);
	map->nr_entries = machine_e820.nr + 7;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, GUEST(map), 0, 0), 0);
	assert_int_equal(map->nr_entries, machine_e820.nr);
	assert_memory_equal(e, machine_e820.entry, sizeof(*e));
	map->buffer.p = NOWHERE;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, GUEST(map), 0, 0), -EFAULT);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0, 0, 0), WORLD_FRAMES - 1);
	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, GUEST(map), 0, 0), -EPERM);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, GUEST(map), 0, 0), -EPERM);
	world_run(dom0->vcpu[0]);
}

static long set_map(domid_t domid, u32 nr, void *entries)
{
	struct xen_foreign_memory_map *op = guest_alloc(sizeof(*op));

	*op = (struct xen_foreign_memory_map){ .domid = domid, .map = { .nr_entries = nr, .buffer.p = entries } };
	return hypercall(__HYPERVISOR_memory_op, XENMEM_set_memory_map, GUEST(op), 0, 0);
}

static void test_a_guest_has_the_map_that_was_set(void **state)
{
	struct e820_entry *e = guest_alloc(129 * sizeof(*e)), *got = guest_alloc(3 * sizeof(*got));
	struct xen_memory_map *map = guest_alloc(sizeof(*map));

	e[0] = (struct e820_entry){ 0, 0x1000, E820_RAM };
	e[1] = (struct e820_entry){ 0x1000, 0x2000, E820_RESERVED };
	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, GUEST(map), 0, 0), -ENOSYS);
	assert_int_equal(set_map(DOMID_SELF, 2, e), -EPERM);
	world_run(dom0->vcpu[0]);
	assert_int_equal(set_map(77, 2, e), -ESRCH);
	assert_int_equal(set_map(1, 129, e), -EINVAL);
	assert_int_equal(set_map(1, 128, e), 0);
	assert_int_equal(set_map(1, 2, NOWHERE), -EFAULT);
	assert_int_equal(set_map(1, 2, e), 0);
	world_run(d1->vcpu[0]);
	for (u32 room = 1; room < 4; room++) {
		memset(got, 0xee, 3 * sizeof(*got));
		*map = (struct xen_memory_map){ .nr_entries = room, .buffer.p = got };
		assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, GUEST(map), 0, 0), 0);
		assert_int_equal(map->nr_entries, MIN(room, 2u));
		assert_memory_equal(got, e, map->nr_entries * sizeof(*e));
		assert_int_equal(got[map->nr_entries].type, 0xeeeeeeee);
	}
	map->buffer.p = NOWHERE;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, GUEST(map), 0, 0), -EFAULT);
	world_run(dom0->vcpu[0]);
}

static long claim(domid_t domid, u64 nr)
{
	struct xen_memory_reservation *r = guest_alloc(sizeof(*r));

	*r = (struct xen_memory_reservation){ .domid = domid, .nr_extents = nr };
	return hypercall(__HYPERVISOR_memory_op, XENMEM_claim_pages, GUEST(r), 0, 0);
}

/* What a domain has counts; more than it may have, or than there is, is not promised. */
static void test_frames_are_promised_once(void **state)
{
	struct xen_memory_reservation *r = guest_alloc(sizeof(*r));

	*r = (struct xen_memory_reservation){ .domid = 1, .nr_extents = 1, .extent_order = 1 };
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_claim_pages, GUEST(r), 0, 0), -EINVAL);
	*r = (struct xen_memory_reservation){ .domid = 1, .nr_extents = 1, .mem_flags = 1 };
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_claim_pages, GUEST(r), 0, 0), -EINVAL);
	*r = (struct xen_memory_reservation){ .domid = 1, .nr_extents = 1, .extent_start.p = NOWHERE };
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_claim_pages, GUEST(r), 0, 0), -EINVAL);
	world_page(d1);
	world_page(d1);
	assert_int_equal(claim(77, 5), -ESRCH);
	assert_int_equal(claim(1, 1), -EINVAL); /* it has more */
	assert_int_equal(claim(1, d1->max_pages + 1), -EINVAL);
	assert_int_equal(claim(1, d1->max_pages), 0);
	assert_int_equal(d1->outstanding_claim, d1->max_pages - 2);
	assert_int_equal(claim(1, 5), -EINVAL); /* claimed already */
	assert_int_equal(claim(1, 0), 0);
	assert_int_equal(d1->outstanding_claim, 0);
	d1->max_pages = 10 * WORLD_FRAMES;
	assert_int_equal(claim(1, page_alloc_free_frames() + 3), -ENOMEM);
	assert_int_equal(claim(1, page_alloc_free_frames() + 2), 0); /* all there is */
	assert_int_equal(claims_outstanding(), page_alloc_free_frames());
	assert_int_equal(claim(1, 0), 0);
	world_run(d1->vcpu[0]);
	assert_int_equal(claim(1, 3), -EPERM);
	world_run(dom0->vcpu[0]);
}

static long fact(u32 cmd, domid_t domid)
{
	domid_t *arg = guest_alloc(sizeof(*arg));

	*arg = domid;
	return hypercall(__HYPERVISOR_memory_op, cmd, GUEST(arg), 0, 0);
}

static void test_a_domain_has_so_many_pages(void **state)
{
	world_page(d1);
	d1->shared_info->arch.max_pfn = 300;
	assert_int_equal(fact(XENMEM_current_reservation, 1), 1);
	assert_int_equal(fact(XENMEM_maximum_reservation, 1), d1->max_pages);
	assert_int_equal(fact(XENMEM_maximum_gpfn, 1), 299);
	d1->shared_info->arch.max_pfn = 0;
	assert_int_equal(fact(XENMEM_maximum_gpfn, 1), 0);
	assert_int_equal(fact(XENMEM_current_reservation, 77), -ESRCH);
	assert_int_equal(fact(XENMEM_maximum_reservation, 77), -ESRCH);
	assert_int_equal(fact(XENMEM_maximum_gpfn, 77), -ESRCH);
	world_run(d1->vcpu[0]);
	assert_int_equal(fact(XENMEM_current_reservation, DOMID_SELF), 1);
	assert_int_equal(fact(XENMEM_maximum_reservation, 0), -EPERM);
	assert_int_equal(fact(XENMEM_add_to_physmap, 1), -EACCES);
	assert_int_equal(fact(XENMEM_remove_from_physmap, 1), -EACCES);
	assert_int_equal(fact(XENMEM_get_vnumainfo, 1), -EOPNOTSUPP);
	assert_int_equal(fact(XENMEM_get_sharing_freed_pages, 1), 0);
	world_run(dom0->vcpu[0]);
	assert_int_equal(fact(XENMEM_add_to_physmap_batch, 1), -EOPNOTSUPP);
}

static void test_the_machine_to_physical_table_is_where_it_says(void **state)
{
	struct xen_machphys_mapping *m = guest_alloc(sizeof(*m));
	struct xen_machphys_mfn_list *l = guest_alloc(sizeof(*l));
	xen_pfn_t *list = guest_alloc(2 * sizeof(*list));

	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machphys_mapping, GUEST(m), 0, 0), 0);
	assert_true(m->v_start == MACH2PHYS_VIRT_START && m->v_end == MACH2PHYS_VIRT_END);
	assert_int_equal(m->max_mfn, WORLD_FRAMES - 1);
	world_run(dom0->vcpu[0]);
	*l = (struct xen_machphys_mfn_list){ .max_extents = 0, .extent_start.p = NOWHERE };
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, GUEST(l), 0, 0), 0);
	assert_int_equal(l->nr_extents, 0);
	l->max_extents = 2;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, GUEST(l), 0, 0), -EFAULT);
	l->extent_start.p = list;
	list[1] = 0x1234;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, GUEST(l), 0, 0), 0);
	assert_int_equal(l->nr_extents, 1); /* 2 MiB are enough for this machine */
	assert_int_equal(list[1], 0x1234);
}

static long acquire(struct xen_mem_acquire_resource op)
{
	struct xen_mem_acquire_resource *arg = guest_alloc(sizeof(*arg));
	long rc;

	*arg = op;
	rc = hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(arg), 0, 0);
	return rc ? rc : (long)arg->nr_frames;
}

static void test_of_a_grant_table_there_are_so_many_frames(void **state)
{
	xen_pfn_t *list = guest_alloc(4 * sizeof(*list));
	const struct xen_mem_acquire_resource good = { .domid = 1, .type = XENMEM_resource_grant_table,
						       .id = XENMEM_resource_grant_table_id_shared };
	struct xen_mem_acquire_resource bad;
	static const struct {
		u64 frame;
		u32 nr;
		long rc;
	} cases[] = { { 0, 4, 4 }, { 3, 1, 1 }, { 4, 1, -EINVAL }, { 3, 2, -EINVAL }, { 0, 5, -EINVAL }, { ~0ULL, 2, -EINVAL }, { 1, ~0u, -EINVAL } };

	assert_int_equal(acquire(good), 4); /* no list: how many there may be */
	bad = good;
	bad.nr_frames = 1;
	assert_int_equal(acquire(bad), -EINVAL);
	bad = good;
	bad.pad = 1;
	assert_int_equal(acquire(bad), -EINVAL);
	bad = good;
	bad.domid = 77;
	assert_int_equal(acquire(bad), -ESRCH);
	bad = good;
	bad.type = XENMEM_resource_ioreq_server;
	assert_int_equal(acquire(bad), -EOPNOTSUPP);
	bad = good;
	bad.id = XENMEM_resource_grant_table_id_status;
	assert_int_equal(acquire(bad), -EOPNOTSUPP);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bad = good;
		bad.frame = cases[i].frame;
		bad.nr_frames = cases[i].nr;
		set_xen_guest_handle(bad.frame_list, list);
		memset(list, 0, 4 * sizeof(*list));
		if (acquire(bad) != cases[i].rc)
			fail_msg("case %zu", i);
		for (u32 k = 0; cases[i].rc > 0 && k < cases[i].nr; k++)
			assert_int_equal(list[k], mfn_x(virt_to_mfn(d1->gnttab->shared[cases[i].frame + k])));
	}
	bad.frame = 0;
	bad.nr_frames = 1;
	bad.frame_list.p = NOWHERE;
	assert_int_equal(acquire(bad), -EFAULT);
	world_run(d1->vcpu[0]);
	assert_int_equal(acquire(good), -EPERM);
	world_run(dom0->vcpu[0]);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_memory_map_of_the_machine_is_dom0s),
		T(test_a_guest_has_the_map_that_was_set),
		T(test_frames_are_promised_once),
		T(test_a_domain_has_so_many_pages),
		T(test_the_machine_to_physical_table_is_where_it_says),
		T(test_of_a_grant_table_there_are_so_many_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
