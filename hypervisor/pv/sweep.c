/* SPDX-License-Identifier: MIT */
/* sweep.c - see sweep.h. */
#include "pv/sweep.h"

#include "domain/preempt.h"
#include "lib/errno.h"
#include "mm/frame.h"

#define FRAMES_PER_CHECK 256   /* handled between two looks whether others wait */
#define RECORDS_PER_CHECK 1024 /* passed by, being others' */

/* The first frame from @mfn on that lies in a chunk where @d has any. */
static u64 chunk_skip(const struct domain *d, u64 mfn)
{
	while (mfn < frame_table_nr && !d->frames_in[frame_chunk(mfn)])
		mfn = (frame_chunk(mfn) + 1) << frame_chunk_shift;
	return MIN(mfn, frame_table_nr);
}

/* The first of @owner's frames from @mfn on; @end: none before that. Most are others': by fours. */
static u64 owned_from(u64 mfn, u64 end, domid_t owner)
{
	const struct frame *f = &frame_table[mfn], *last = &frame_table[end];

	while (f + 4 <= last && f[0].owner != owner && f[1].owner != owner &&
	       f[2].owner != owner && f[3].owner != owner)
		f += 4;
	while (f < last && f->owner != owner)
		f++;
	return mfn_x(frame_to_mfn(f));
}

int sweep_frames(const struct domain *d, u64 *at, sweep_fn step, void *arg)
{
	while ((*at = chunk_skip(d, *at)) < frame_table_nr) {
		u64 end = MIN(*at + RECORDS_PER_CHECK, frame_table_nr);

		for (unsigned int n = 0; n < FRAMES_PER_CHECK; n++, ++*at) {
			int rc = 0;

			*at = owned_from(*at, end, d->domain_id);
			if (*at == end)
				break;
			if (!(frame_table[*at].ref & FRAME_XENHEAP))
				rc = step(&frame_table[*at], arg);
			if (rc)
				return rc;
		}
		if (*at < frame_table_nr && hypercall_should_preempt())
			return -ERESTART;
	}
	*at = 0;
	return 0;
}
