/* SPDX-License-Identifier: MIT */
/*
 * hc_memory.c - memory_op: the table of its operations, and those that only tell or set a fact.
 * Extents are hc_memory_extents.c's, exchange hc_memory_exchange.c's. ABI: xen/memory.h.
 */
#include "hypercall/memory.h"

#include "domain/gnttab.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/e820.h"
#include "x86/guest_access.h"
#include "x86/layout.h"

#define E820_ENTRY_SIZE 20
#define E820_ENTRIES_MAX 128
_Static_assert(sizeof(struct e820_entry) == E820_ENTRY_SIZE, "xen/memory.h: as INT 15h E820");

/* --- claims: frames promised to a domain under construction --- */

static long op_claim_pages(u64 arg)
{
	struct xen_memory_reservation r;
	struct domain *d;
	int rc;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	if (handle_va(r.extent_start) || r.extent_order || r.mem_flags)
		return -EINVAL;
	rc = domain_find_remote(r.domid, &d);
	if (rc)
		return rc;
	if (r.nr_extents == 0) {
		claim_set(d, 0);
		return 0;
	}
	if (d->is_dying || d->outstanding_claim || r.nr_extents < d->tot_pages ||
	    r.nr_extents > d->max_pages)
		return -EINVAL;
	/* What the domain has counts as fulfilled. */
	if (!claims_allow(d, r.nr_extents - d->tot_pages) ||
	    page_alloc_free_frames() < r.nr_extents - d->tot_pages)
		return -ENOMEM;
	claim_set(d, r.nr_extents - d->tot_pages);
	return 0;
}

/* --- facts about a domain --- */

static long find_by_arg(u64 arg, struct domain **d)
{
	domid_t domid;

	if (copy_from_guest(&domid, arg, sizeof(domid)))
		return -EFAULT;
	return domain_find_remote(domid, d);
}

static long op_current_reservation(u64 arg, long *value)
{
	struct domain *d;
	long rc = find_by_arg(arg, &d);

	if (!rc)
		*value = (long)d->tot_pages;
	return rc;
}

static long op_maximum_reservation(u64 arg, long *value)
{
	struct domain *d;
	long rc = find_by_arg(arg, &d);

	if (!rc)
		*value = (long)d->max_pages;
	return rc;
}

/*
 * The guest says how many, any number; one that has said nothing yet, such as one being restored,
 * has 0.
 */
static long op_maximum_gpfn(u64 arg, long *value)
{
	struct domain *d;
	long rc = find_by_arg(arg, &d);
	u64 nr;

	if (rc)
		return rc;
	if (!d->shared_info)
		return -ESRCH;
	nr = READ_ONCE(d->shared_info->arch.max_pfn);
	*value = nr ? (long)(nr - 1) : 0;
	return 0;
}

static long op_memory_map(u64 arg)
{
	struct domain *d = current->domain;
	struct xen_memory_map map;

	if (!d->memory_map)
		return -ENOSYS; /* Linux then assumes one block of RAM */
	if (copy_from_guest(&map, arg, sizeof(map)))
		return -EFAULT;
	map.nr_entries = MIN(map.nr_entries, d->nr_memory_map);
	if (copy_to_guest(handle_va(map.buffer), d->memory_map,
			  (size_t)map.nr_entries * E820_ENTRY_SIZE))
		return -EFAULT;
	return copy_to_guest(arg, &map, sizeof(map));
}

static long op_set_memory_map(u64 arg)
{
	struct xen_foreign_memory_map op;
	struct domain *d;
	void *copy;
	size_t len;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.map.nr_entries > E820_ENTRIES_MAX)
		return -EINVAL;
	rc = domain_find_remote(op.domid, &d);
	if (rc)
		return rc;
	if (d == current->domain && !d->is_privileged)
		return -EPERM;
	len = (size_t)op.map.nr_entries * E820_ENTRY_SIZE;
	copy = xzalloc(MAX(len, (size_t)1));
	if (!copy)
		return -ENOMEM;
	if (copy_from_guest(copy, handle_va(op.map.buffer), len)) {
		xfree(copy);
		return -EFAULT;
	}
	xfree(d->memory_map);
	d->memory_map = copy;
	d->nr_memory_map = op.map.nr_entries;
	return 0;
}

/* --- facts about the machine --- */

static long op_machine_memory_map(u64 arg)
{
	struct xen_memory_map map;
	unsigned int nr = machine_e820.nr;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_from_guest(&map, arg, sizeof(map)))
		return -EFAULT;
	if (map.nr_entries < nr)
		return -ENOBUFS;
	map.nr_entries = nr;
	if (copy_to_guest(handle_va(map.buffer), machine_e820.entry, (size_t)nr * E820_ENTRY_SIZE))
		return -EFAULT;
	return copy_to_guest(arg, &map, sizeof(map));
}

static long op_maximum_ram_page(u64 arg, long *value)
{
	u64 end = 0;

	for (unsigned int i = 0; i < machine_e820.nr; i++) {
		const struct e820_entry *e = &machine_e820.entry[i];

		if (e->type == E820_RAM)
			end = MAX(end, e->addr + e->size);
	}
	*value = (long)(end >> PAGE_SHIFT) - 1;
	return 0;
}

static long op_machphys_mapping(u64 arg)
{
	struct xen_machphys_mapping map = {
		.v_start = MACH2PHYS_VIRT_START,
		.v_end = MACH2PHYS_VIRT_END,
		.max_mfn = frame_table_nr - 1, /* beyond it nothing is mapped: not worth a fault */
	};

	return copy_to_guest(arg, &map, sizeof(map));
}

/* The table's own frames, a number for each 2 MiB, for the toolstack to map. */
static long op_machphys_mfn_list(u64 arg)
{
	const u64 entries_per_2m = (2UL << 20) / sizeof(u64);
	struct xen_machphys_mfn_list op;
	u64 nr = (frame_table_nr + entries_per_2m - 1) / entries_per_2m;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	op.nr_extents = MIN(nr, op.max_extents);
	for (u64 i = 0; i < op.nr_extents; i++) {
		xen_pfn_t mfn = mfn_x(virt_to_mfn(&m2p_table[i * entries_per_2m]));

		if (copy_elem_to_handle(op.extent_start, i, &mfn))
			return -EFAULT;
	}
	return copy_to_guest(arg, &op, sizeof(op));
}

/* Pages are never shared between domains by content. */
static long op_none_shared(u64 arg)
{
	return 0;
}

/* A PV guest's pseudo-physical map is its own business. */
static long op_physmap(u64 arg)
{
	return current->domain->is_privileged ? -EOPNOTSUPP : -EACCES;
}

/* No virtual NUMA; toolstacks tell "none" by exactly this errno. */
static long op_no_vnuma(u64 arg)
{
	return -EOPNOTSUPP;
}

/* --- resources: frames the hypervisor keeps for a domain, for the toolstack to map --- */

static long resource_frames(struct domain *d, struct xen_mem_acquire_resource *op)
{
	if (op->frame >= d->gnttab->max_frames ||
	    op->nr_frames > d->gnttab->max_frames - op->frame)
		return -EINVAL;
	for (u32 i = 0; i < op->nr_frames; i++) {
		xen_pfn_t pfn;
		mfn_t mfn;
		int rc = gnttab_get_shared_frame(d, op->frame + i, &mfn);

		if (rc)
			return rc;
		pfn = mfn_x(mfn);
		if (copy_elem_to_handle(op->frame_list, i, &pfn))
			return -EFAULT;
	}
	return 0;
}

static long op_acquire_resource(u64 arg)
{
	struct xen_mem_acquire_resource op;
	struct domain *d;
	int rc;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.pad)
		return -EINVAL;
	rc = domain_find_remote(op.domid, &d);
	if (rc)
		return rc;
	if (op.type != XENMEM_resource_grant_table ||
	    op.id != XENMEM_resource_grant_table_id_shared)
		return -EOPNOTSUPP;
	if (d->is_dying || !d->gnttab)
		return -ESRCH;
	if (handle_va(op.frame_list))
		return resource_frames(d, &op);
	if (op.nr_frames)
		return -EINVAL;
	op.nr_frames = d->gnttab->max_frames;
	return copy_to_guest(arg, &op, sizeof(op));
}

/* These tell a number. */
static long (*const memory_facts[])(u64 arg, long *value) = {
	[XENMEM_maximum_ram_page] = op_maximum_ram_page,
	[XENMEM_current_reservation] = op_current_reservation,
	[XENMEM_maximum_reservation] = op_maximum_reservation,
	[XENMEM_maximum_gpfn] = op_maximum_gpfn,
};

static long (*const memory_ops[])(u64 arg) = {
	[XENMEM_machphys_mfn_list] = op_machphys_mfn_list,
	[XENMEM_add_to_physmap] = op_physmap,
	[XENMEM_memory_map] = op_memory_map,
	[XENMEM_machine_memory_map] = op_machine_memory_map,
	[XENMEM_machphys_mapping] = op_machphys_mapping,
	[XENMEM_set_memory_map] = op_set_memory_map,
	[XENMEM_remove_from_physmap] = op_physmap,
	[XENMEM_get_sharing_freed_pages] = op_none_shared,
	[XENMEM_get_sharing_shared_pages] = op_none_shared,
	[XENMEM_add_to_physmap_batch] = op_physmap,
	[XENMEM_claim_pages] = op_claim_pages,
	[XENMEM_get_vnumainfo] = op_no_vnuma,
	[XENMEM_acquire_resource] = op_acquire_resource,
};

long hc_memory_op(struct hc_args *a)
{
	u64 op = a->a[0] & MEMOP_CMD_MASK;

	switch (op) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return memory_reservation(a);
	case XENMEM_exchange:
		return memory_exchange(a);
	default:
		break;
	}
	if (op < ARRAY_SIZE(memory_facts) && *table_nospec(memory_facts, op))
		return (*table_nospec(memory_facts, op))(a->a[1], &a->value);
	if (op < ARRAY_SIZE(memory_ops) && *table_nospec(memory_ops, op))
		return (*table_nospec(memory_ops, op))(a->a[1]);
	return -ENOSYS;
}
