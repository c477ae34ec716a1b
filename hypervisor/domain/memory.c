/* SPDX-License-Identifier: MIT */
/*
 * memory.c - gives frames to domains and takes them back: the ALLOC reference and the limit. A
 * frame counts until its last reference is gone (frame_ref.c), given back or not.
 */
#include "domain/memory.h"

#include "domain/domain.h"
#include "domain/frame_ref.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/page_alloc.h"
#include "x86/layout.h"

int domain_mem_init(struct domain *d)
{
	d->frames_in = xzalloc_array(u32, frame_chunks());
	return d->frames_in ? 0 : -ENOMEM;
}

void domain_mem_fini(struct domain *d)
{
	xfree(d->frames_in);
}

void domain_mem_lost(struct domain *d, const struct frame *f)
{
	d->tot_pages--;
	d->frames_in[frame_chunk(mfn_x(frame_to_mfn(f)))]--;
}

int domain_frames_alloc(struct domain *d, unsigned int order, unsigned int addr_bits,
			struct frame **out)
{
	u64 nr = 1ULL << order;
	struct frame *f;

	if (order > MAX_ORDER)
		return -EINVAL;
	if (d->is_dying)
		return -ESRCH;
	if (d->tot_pages + nr > d->max_pages || d->tot_pages + nr < nr)
		return -ENOMEM;
	f = frames_alloc(order, addr_bits);
	if (!f)
		return -ENOMEM;
	for (u64 i = 0; i < nr; i++) {
		/*
		 * dom0's first memory is filled by its builder and kernel: nobody's secrets are in
		 * it yet
		 */
		if (dom0)
			frame_clean(&f[i]);
		frame_set_refs(&f[i], FRAME_ALLOC | FRAME_WRITTEN | 1); /* it was not sent */
		f[i].type = 0;
		f[i].owner = d->domain_id;
		frame_set_order(&f[i], 0);
		f[i].stamp = 0;
		d->frames_in[frame_chunk(mfn_x(frame_to_mfn(&f[i])))]++;
	}
	d->tot_pages += nr;
	*out = f;
	return 0;
}

bool domain_frame_release(struct frame *f)
{
	if (!(f->ref & FRAME_ALLOC) || (f->ref & FRAME_XENHEAP))
		return false;
	f->ref &= ~FRAME_ALLOC;
	frame_put(f);
	return true;
}

/* --- claims --- */

static u64 claims; /* the sum over all domains; hypervisor lock */

void claim_set(struct domain *d, u64 nr)
{
	claims += nr - d->outstanding_claim;
	d->outstanding_claim = nr;
}

u64 claims_outstanding(void)
{
	return claims;
}

bool claims_allow(const struct domain *d, u64 nr)
{
	u64 others = claims - d->outstanding_claim;

	return others == 0 || page_alloc_free_frames() >= others + nr;
}
