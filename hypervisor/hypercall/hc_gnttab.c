/* SPDX-License-Identifier: MIT */
/*
 * hc_gnttab.c - grant_table_op: copies op structures in and statuses out, one by one; batches are
 * preempted between ops (unmaps: between flushes). ABI: xen/grant_table.h, version 1 only.
 */
#include "domain/gnttab.h"
#include "domain/preempt.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "pv/domain_tlb.h"
#include "pv/pv.h"
#include "x86/guest_access.h"
#include "x86/layout.h"

#define UNMAP_BATCH 32

/* Moves on by @nr ops of @size; the dispatcher re-issues the call with the rest. */
static long go_on(struct hc_args *a, u64 nr, size_t size)
{
	a->a[1] += nr * size;
	a->a[2] -= nr;
	return -ERESTART;
}

static long op_map(struct hc_args *a)
{
	u64 count = a->a[2];

	for (u64 i = 0; i < count; i++) {
		u64 va = a->a[1] + i * sizeof(struct gnttab_map_grant_ref);
		struct gnttab_map_grant_ref op;

		if (i && hypercall_should_preempt())
			return go_on(a, i, sizeof(op));
		if (copy_from_guest(&op, va, sizeof(op)))
			return -EFAULT;
		gnttab_map(&op);
		if (copy_to_guest(va, &op, sizeof(op)))
			return -EFAULT;
	}
	return 0;
}

/* The two unmap ops differ only in what their structures hold. */
struct unmap_op {
	u64 host_addr, dev_bus_addr, new_addr;
	grant_handle_t handle;
};

static int unmap_read(u32 cmd, u64 va, struct unmap_op *op)
{
	struct gnttab_unmap_grant_ref u;
	struct gnttab_unmap_and_replace r;

	if (cmd == GNTTABOP_unmap_grant_ref) {
		if (copy_from_guest(&u, va, sizeof(u)))
			return -EFAULT;
		*op = (struct unmap_op){ u.host_addr, u.dev_bus_addr, 0, u.handle };
		return 0;
	}
	if (copy_from_guest(&r, va, sizeof(r)))
		return -EFAULT;
	*op = (struct unmap_op){ r.host_addr, 0, r.new_addr, r.handle };
	return 0;
}

static int unmap_write_status(u32 cmd, u64 va, s16 status)
{
	size_t at = cmd == GNTTABOP_unmap_grant_ref ?
			    offsetof(struct gnttab_unmap_grant_ref, status) :
			    offsetof(struct gnttab_unmap_and_replace, status);

	return copy_to_guest(va + at, &status, sizeof(status));
}

/* One batch: all entries go, one flush, then the references (C33). Sets *@done. */
static long unmap_batch(u32 cmd, u64 va, size_t size, u64 nr, u64 *done)
{
	struct gnttab_unmap_state state[UNMAP_BATCH];
	long rc = 0;
	u64 i;

	for (i = 0; i < nr && !rc; i++) {
		struct unmap_op op;
		s16 status;

		state[i].rd = NULL;
		rc = unmap_read(cmd, va + i * size, &op);
		if (rc)
			break;
		status = gnttab_unmap_prepare(&state[i], op.handle, op.host_addr, op.dev_bus_addr,
					      op.new_addr);
		rc = unmap_write_status(cmd, va + i * size, status);
	}
	*done = i;
	tlb_flush_domain(current->domain);
	for (u64 j = 0; j < i; j++)
		gnttab_unmap_complete(&state[j]);
	return rc;
}

static long op_unmap(struct hc_args *a)
{
	u32 cmd = (u32)a->a[0];
	size_t size = cmd == GNTTABOP_unmap_grant_ref ? sizeof(struct gnttab_unmap_grant_ref) :
							sizeof(struct gnttab_unmap_and_replace);
	u64 done = 0;

	while (done < a->a[2]) {
		u64 nr;
		long rc;

		if (done && hypercall_should_preempt())
			return go_on(a, done, size);
		rc = unmap_batch(cmd, a->a[1] + done * size, size,
				 MIN(a->a[2] - done, (u64)UNMAP_BATCH), &nr);
		if (rc)
			return rc;
		done += nr;
	}
	return 0;
}

static long op_copy(struct hc_args *a)
{
	u64 count = a->a[2];

	for (u64 i = 0; i < count; i++) {
		u64 va = a->a[1] + i * sizeof(struct gnttab_copy);
		struct gnttab_copy op;

		if (i && hypercall_should_preempt())
			return go_on(a, i, sizeof(op));
		if (copy_from_guest(&op, va, sizeof(op)))
			return -EFAULT;
		op.status = gnttab_copy_one(&op);
		if (copy_to_guest(va, &op, sizeof(op)))
			return -EFAULT;
	}
	return 0;
}

static s16 find_domain(domid_t domid, struct domain **d)
{
	switch (domain_find_remote(domid, d)) {
	case 0:
		return (*d)->gnttab && !(*d)->is_dying ? GNTST_okay : GNTST_bad_domain;
	case -EPERM:
		return GNTST_permission_denied;
	default:
		return GNTST_bad_domain;
	}
}

static s16 setup_table(const struct gnttab_setup_table *op)
{
	struct domain *d;
	s16 rc = find_domain(op->dom, &d);

	if (rc != GNTST_okay)
		return rc;
	if (gnttab_grow(d, op->nr_frames))
		return GNTST_general_error;
	for (u32 i = 0; i < op->nr_frames; i++) {
		xen_pfn_t mfn = mfn_x(virt_to_mfn(d->gnttab->shared[i]));

		if (copy_elem_to_handle(op->frame_list, i, &mfn))
			return GNTST_bad_virt_addr;
	}
	return GNTST_okay;
}

static long op_setup_table(struct hc_args *a)
{
	struct gnttab_setup_table op;

	if (a->a[2] != 1)
		return -EINVAL;
	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	op.status = setup_table(&op);
	return copy_to_guest(a->a[1], &op, sizeof(op));
}

static long op_query_size(struct hc_args *a)
{
	struct gnttab_query_size op;
	struct domain *d;

	if (a->a[2] != 1)
		return -EINVAL;
	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	op.status = find_domain(op.dom, &d);
	if (op.status == GNTST_okay) {
		op.nr_frames = d->gnttab->nr_frames;
		op.max_nr_frames = d->gnttab->max_frames;
	}
	return copy_to_guest(a->a[1], &op, sizeof(op));
}

static long op_set_version(struct hc_args *a)
{
	struct gnttab_set_version op;
	u32 wanted;

	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	wanted = op.version;
	op.version = 1; /* what it is, whatever was asked for */
	if (copy_to_guest(a->a[1], &op, sizeof(op)))
		return -EFAULT;
	if (wanted == 0 || wanted > 2)
		return -EINVAL;
	return wanted == 1 ? 0 : -ENOSYS;
}

static long op_get_version(struct hc_args *a)
{
	struct gnttab_get_version op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	rc = domain_find_remote(op.dom, &d);
	if (rc)
		return rc;
	op.version = 1;
	return copy_to_guest(a->a[1], &op, sizeof(op));
}

static long op_swap(struct hc_args *a)
{
	u64 count = a->a[2];

	for (u64 i = 0; i < count; i++) {
		u64 va = a->a[1] + i * sizeof(struct gnttab_swap_grant_ref);
		struct gnttab_swap_grant_ref op;

		if (i && hypercall_should_preempt())
			return go_on(a, i, sizeof(op));
		if (copy_from_guest(&op, va, sizeof(op)))
			return -EFAULT;
		op.status = gnttab_swap(current->domain, op.ref_a, op.ref_b);
		if (copy_to_guest(va, &op, sizeof(op)))
			return -EFAULT;
	}
	return 0;
}

/* Known, and refused for good: caches are coherent on x86. */
static long op_cache_flush(struct hc_args *a)
{
	return -EOPNOTSUPP;
}

static long (*const gnttab_ops[])(struct hc_args *a) = {
	[GNTTABOP_map_grant_ref] = op_map,
	[GNTTABOP_unmap_grant_ref] = op_unmap,
	[GNTTABOP_setup_table] = op_setup_table,
	[GNTTABOP_copy] = op_copy,
	[GNTTABOP_query_size] = op_query_size,
	[GNTTABOP_unmap_and_replace] = op_unmap,
	[GNTTABOP_set_version] = op_set_version,
	[GNTTABOP_get_version] = op_get_version,
	[GNTTABOP_swap_grant_ref] = op_swap,
	[GNTTABOP_cache_flush] = op_cache_flush,
};

long hc_grant_table_op(struct hc_args *a)
{
	u64 cmd = (u32)a->a[0];

	a->a[2] = (u32)a->a[2];
	if ((s32)a->a[2] < 0)
		return -EINVAL;
	if (!current->domain->gnttab || cmd >= ARRAY_SIZE(gnttab_ops) ||
	    !*table_nospec(gnttab_ops, cmd))
		return -ENOSYS;
	return (*table_nospec(gnttab_ops, cmd))(a);
}
