/* SPDX-License-Identifier: MIT */
/*
 * hc_memory_exchange.c - memory_op exchange: a domain swaps frames for others of a better shape
 * (Linux's DMA buffers: contiguous, below 4 GiB). Works in chunks, each all or nothing: a chunk
 * that fails leaves its old frames with their contents (C24). ABI: xen/memory.h, struct
 * xen_memory_exchange.
 */
#include "domain/frame_ref.h"
#include "domain/memory.h"
#include "domain/preempt.h"
#include "hypercall/memory.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "x86/guest_access.h"

struct exchange {
	struct xen_memory_exchange x;
	struct domain *d;
	unsigned int in_per_chunk_order, out_per_chunk_order; /* extents a chunk, log2 */
	unsigned int addr_bits;
	struct frame **in; /* first frames of a chunk's input extents */
	struct frame **out;
};

/* Only the domain's own, unused frames go: no reference but the allocation's, no type. */
static bool frame_is_idle(const struct frame *f, const struct domain *d)
{
	return f->owner == d->domain_id && frame_refs(f) == (FRAME_ALLOC | 1) &&
	       !frame_type_count(f);
}

/* Drops the hold chunk_read_in took on the first @nr input extents. */
static void chunk_unhold(struct exchange *e, u64 nr)
{
	for (u64 i = 0; i < nr; i++)
		for (u64 j = 0; j < 1ULL << e->x.in.extent_order; j++)
			frame_put(&e->in[i][j]);
}

/* Holds each frame of one extent: naming a frame twice fails, as a held frame is not idle. */
static bool extent_hold(struct exchange *e, u64 gmfn)
{
	for (u64 j = 0; j < 1ULL << e->x.in.extent_order; j++) {
		struct frame *f;

		if (mfn_is_ram(_mfn(gmfn + j))) {
			f = mfn_to_frame(_mfn(gmfn + j));
			if (frame_is_idle(f, e->d) && frame_get(f, e->d))
				continue;
		}
		while (j--)
			frame_put(mfn_to_frame(_mfn(gmfn + j)));
		return false;
	}
	return true;
}

static long chunk_read_in(struct exchange *e, u64 chunk)
{
	u64 first = chunk << e->in_per_chunk_order;

	for (u64 i = 0; i < 1ULL << e->in_per_chunk_order; i++) {
		xen_pfn_t gmfn;
		bool copied = !copy_elem_from_handle(&gmfn, e->x.in.extent_start, first + i);

		if (!copied || !extent_hold(e, gmfn)) {
			chunk_unhold(e, i);
			return copied ? -EINVAL : -EFAULT;
		}
		e->in[i] = mfn_to_frame(_mfn(gmfn));
	}
	return 0;
}

static void extents_release(struct frame **list, u64 nr, unsigned int order)
{
	for (u64 i = 0; i < nr; i++)
		for (u64 j = 0; j < 1ULL << order; j++)
			domain_frame_release(&list[i][j]);
}

static long chunk_allocate(struct exchange *e)
{
	unsigned int order = e->x.out.extent_order;
	u64 nr = 1ULL << e->out_per_chunk_order, pages = nr << order, i;
	long rc = 0;

	/* Both halves are the domain's for a moment: the limit must not see it. */
	e->d->max_pages += pages;
	for (i = 0; i < nr && !rc; i++)
		rc = domain_frames_alloc(e->d, order, e->addr_bits, &e->out[i]);
	e->d->max_pages -= pages;
	if (rc)
		extents_release(e->out, i - 1, order);
	return rc;
}

/* Tells the guest its new frames, and the M2P what they are. */
static long chunk_publish(struct exchange *e, u64 chunk)
{
	u64 first = chunk << e->out_per_chunk_order;

	for (u64 i = 0; i < 1ULL << e->out_per_chunk_order; i++) {
		xen_pfn_t gpfn, mfn = mfn_x(frame_to_mfn(e->out[i]));

		if (copy_elem_from_handle(&gpfn, e->x.out.extent_start, first + i))
			return -EFAULT;
		for (u64 j = 0; j < 1ULL << e->x.out.extent_order; j++)
			m2p_set(_mfn(mfn + j), gpfn + j);
		if (copy_elem_to_handle(e->x.out.extent_start, first + i, &mfn))
			return -EFAULT;
	}
	return 0;
}

static long chunk_exchange(struct exchange *e, u64 chunk)
{
	u64 nr_in = 1ULL << e->in_per_chunk_order, nr_out = 1ULL << e->out_per_chunk_order;
	long rc = chunk_read_in(e, chunk);

	if (rc)
		return rc;
	rc = chunk_allocate(e);
	if (!rc) {
		rc = chunk_publish(e, chunk);
		if (rc)
			extents_release(e->out, nr_out, e->x.out.extent_order);
		else
			extents_release(e->in, nr_in, e->x.in.extent_order);
	}
	chunk_unhold(e, nr_in); /* after a success the last reference: to the heap */
	return rc;
}

static long exchange_check(struct exchange *e)
{
	const struct xen_memory_reservation *in = &e->x.in, *out = &e->x.out;
	unsigned int limit = extent_order_max();

	if (in->extent_order > limit || out->extent_order > limit)
		return -EPERM;
	if (in->domid != out->domid || e->x.nr_exchanged > in->nr_extents ||
	    in->nr_extents > ~0UL >> in->extent_order ||
	    out->nr_extents > ~0UL >> out->extent_order ||
	    in->nr_extents << in->extent_order != out->nr_extents << out->extent_order)
		return -EINVAL;
	if (!guest_range_ok(handle_va(in->extent_start), in->nr_extents, sizeof(xen_pfn_t)) ||
	    !guest_range_ok(handle_va(out->extent_start), out->nr_extents, sizeof(xen_pfn_t)))
		return -EFAULT;
	if (!extent_addr_bits(out->mem_flags, &e->addr_bits))
		return -ENOMEM;
	if (out->extent_order > in->extent_order)
		e->in_per_chunk_order = out->extent_order - in->extent_order;
	else
		e->out_per_chunk_order = in->extent_order - out->extent_order;
	/* What was done before must have been whole chunks. */
	return e->x.nr_exchanged & ((1ULL << e->in_per_chunk_order) - 1) ? -EINVAL : 0;
}

static long exchange_run(struct exchange *e, struct hc_args *a)
{
	u64 chunk = e->x.nr_exchanged >> e->in_per_chunk_order, first = chunk;
	u64 nr_chunks = e->x.in.nr_extents >> e->in_per_chunk_order;
	long rc = 0;

	for (; chunk < nr_chunks && !rc; chunk++) {
		if (chunk != first && hypercall_should_preempt()) {
			rc = -ERESTART;
			break;
		}
		rc = chunk_exchange(e, chunk);
		if (rc)
			break;
	}
	e->x.nr_exchanged = chunk << e->in_per_chunk_order;
	if (copy_to_guest(a->a[1] + offsetof(struct xen_memory_exchange, nr_exchanged),
			  &e->x.nr_exchanged, sizeof(e->x.nr_exchanged)))
		return -EFAULT;
	return rc;
}

long memory_exchange(struct hc_args *a)
{
	struct exchange e = { 0 };
	long rc;

	if (copy_from_guest(&e.x, a->a[1], sizeof(e.x)))
		return -EFAULT;
	rc = exchange_check(&e);
	if (!rc)
		rc = domain_find_remote(e.x.in.domid, &e.d);
	if (rc)
		return rc;
	e.in = xzalloc_array(struct frame *, 1UL << e.in_per_chunk_order);
	e.out = xzalloc_array(struct frame *, 1UL << e.out_per_chunk_order);
	rc = e.in && e.out ? exchange_run(&e, a) : -ENOMEM;
	xfree(e.in);
	xfree(e.out);
	return rc;
}
