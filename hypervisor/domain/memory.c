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
		/* dom0's first memory is filled by its builder and kernel: nobody's secrets are in it yet */
		if (dom0)
			frame_clean(&f[i]);
		frame_set_refs(&f[i], FRAME_ALLOC | 1);
		f[i].type = 0;
		f[i].owner = d->domain_id;
		frame_set_order(&f[i], 0);
		f[i].stamp = 0;
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
