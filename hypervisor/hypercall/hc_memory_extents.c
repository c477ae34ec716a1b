/* SPDX-License-Identifier: MIT */
/*
 * hc_memory_extents.c - memory_op increase_reservation, decrease_reservation, populate_physmap:
 * extents of 2^order frames to and from a domain. For PV the frame numbers are machine frames.
 * ABI: xen/memory.h: the result is the number of extents done, also when one failed.
 */
#include "domain/frame_ref.h"
#include "domain/memory.h"
#include "domain/preempt.h"
#include "hypercall/memory.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "x86/guest_access.h"

/*
 * One extent for @d: fills in frames and the M2P, tells the guest. False: failed, nothing kept.
 */
static bool extent_allocate(struct domain *d, const struct xen_memory_reservation *r, u64 idx,
			    bool has_gpfn)
{
	unsigned int bits;
	struct frame *f;
	xen_pfn_t gpfn = 0, mfn;
	u64 nr = 1ULL << r->extent_order;

	if (has_gpfn && copy_elem_from_handle(&gpfn, r->extent_start, idx))
		return false;
	if (!extent_addr_bits(r->mem_flags, &bits) || !claims_allow(d, nr) ||
	    domain_frames_alloc(d, r->extent_order, bits, &f))
		return false;
	claim_set(d, d->outstanding_claim - MIN(d->outstanding_claim, nr));
	mfn = mfn_x(frame_to_mfn(f));
	for (u64 i = 0; has_gpfn && i < nr; i++)
		m2p_set(_mfn(mfn + i), gpfn + i);
	if (!handle_va(r->extent_start) || !copy_elem_to_handle(r->extent_start, idx, &mfn))
		return true;
	for (u64 i = 0; i < nr; i++)
		domain_frame_release(&f[i]);
	return false;
}

static bool frame_give_back(struct domain *d, u64 gmfn)
{
	struct frame *f;
	bool released;

	if (!mfn_is_ram(_mfn(gmfn)))
		return false;
	f = mfn_to_frame(_mfn(gmfn));
	if (!frame_get(f, d))
		return false;
	released = domain_frame_release(f);
	if (released)
		m2p_set(_mfn(gmfn), M2P_INVALID);
	frame_put(f);
	return released;
}

static bool extent_give_back(struct domain *d, const struct xen_memory_reservation *r, u64 idx)
{
	xen_pfn_t gmfn;

	if (copy_elem_from_handle(&gmfn, r->extent_start, idx))
		return false;
	for (u64 i = 0; i < 1ULL << r->extent_order; i++)
		if (!frame_give_back(d, gmfn + i))
			return false;
	return true;
}

/* The call is over: so many extents are done. */
static long stop_at(struct hc_args *a, u64 idx)
{
	a->value = (long)idx;
	return 0;
}

long memory_reservation(struct hc_args *a)
{
	u64 op = a->a[0] & MEMOP_CMD_MASK, idx = a->a[0] >> MEMOP_EXTENT_SHIFT;
	struct xen_memory_reservation r;
	struct domain *d;
	int rc;

	if (copy_from_guest(&r, a->a[1], sizeof(r)))
		return -EFAULT;
	/* The result could not count more, and the restart word not hold it. */
	if (r.nr_extents > ~0UL >> MEMOP_EXTENT_SHIFT || idx >= r.nr_extents)
		return stop_at(a, idx);
	if (r.extent_order > extent_order_max())
		return stop_at(a, idx);
	if ((handle_va(r.extent_start) || op != XENMEM_increase_reservation) &&
	    !guest_range_ok(handle_va(r.extent_start), r.nr_extents, sizeof(xen_pfn_t)))
		return stop_at(a, idx);
	rc = domain_find_remote(r.domid, &d);
	if (rc)
		return rc;
	for (u64 first = idx; idx < r.nr_extents; idx++) {
		bool ok;

		if (idx != first && hypercall_should_preempt()) {
			a->a[0] = op | idx << MEMOP_EXTENT_SHIFT;
			return -ERESTART;
		}
		ok = op == XENMEM_decrease_reservation ?
			     extent_give_back(d, &r, idx) :
			     extent_allocate(d, &r, idx, op == XENMEM_populate_physmap);
		if (!ok)
			break;
	}
	return stop_at(a, idx);
}
