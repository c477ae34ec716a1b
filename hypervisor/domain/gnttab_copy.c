/* SPDX-License-Identifier: MIT */
/*
 * gnttab_copy.c - copies between granted or own frames, and swapping two grant entries.
 * ABI: xen/grant_table.h, GNTTABOP_copy, GNTTABOP_swap_grant_ref.
 */
#include "domain/frame_ref.h"
#include "domain/gnttab.h"
#include "domain/guest.h"

#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/layout.h"

/* One side of a copy, held for its duration. */
struct copy_end {
	struct domain *d;
	struct frame *frame;
	grant_ref_t ref;
	bool is_gref, is_dest;
};

static s16 copy_end_get(struct copy_end *e, domid_t domid, bool is_gref, grant_ref_t ref, u64 gmfn)
{
	struct domain *ld = current->domain;

	e->is_gref = is_gref;
	e->ref = ref;
	e->d = domid == DOMID_SELF ? ld : domain_find(domid);
	if (!e->d || e->d->is_dying || !e->d->gnttab)
		return GNTST_bad_domain;
	if (!is_gref && e->d != ld)
		return GNTST_permission_denied; /* frames by number: only one's own */
	if (is_gref) {
		struct grant_active *act;
		s16 rc = gnttab_pin(e->d, ref, ld, e->is_dest, false, &act);

		if (rc != GNTST_okay)
			return rc;
		e->frame = act->frame;
	} else {
		if (!mfn_is_ram(_mfn(gmfn)))
			return GNTST_general_error;
		e->frame = mfn_to_frame(_mfn(gmfn));
	}
	if (e->is_dest ? frame_get_and_type(e->frame, e->d, FT_WR) == 0 :
			 frame_get(e->frame, e->d))
		return GNTST_okay;
	if (is_gref)
		gnttab_unpin(e->d, ref, e->is_dest, false);
	return GNTST_general_error;
}

static void copy_end_put(struct copy_end *e)
{
	if (e->is_dest) {
		frame_note_write(e->frame);
		frame_put_and_type(e->frame);
	} else {
		frame_put(e->frame);
	}
	if (e->is_gref)
		gnttab_unpin(e->d, e->ref, e->is_dest, false);
}

s16 gnttab_copy_one(const struct gnttab_copy *op)
{
	struct copy_end src = { 0 }, dst = { .is_dest = true };
	s16 rc;

	if (op->source.offset + (u32)op->len > PAGE_SIZE ||
	    op->dest.offset + (u32)op->len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	if (op->flags & ~(GNTCOPY_source_gref | GNTCOPY_dest_gref))
		return GNTST_bad_copy_arg;
	rc = copy_end_get(&src, op->source.domid, op->flags & GNTCOPY_source_gref,
			  op->source.u.ref, op->source.u.gmfn);
	if (rc != GNTST_okay)
		return rc;
	rc = copy_end_get(&dst, op->dest.domid, op->flags & GNTCOPY_dest_gref, op->dest.u.ref,
			  op->dest.u.gmfn);
	if (rc == GNTST_okay) {
		memmove((char *)mfn_to_virt(frame_to_mfn(dst.frame)) + op->dest.offset,
			(char *)mfn_to_virt(frame_to_mfn(src.frame)) + op->source.offset, op->len);
		copy_end_put(&dst);
	}
	copy_end_put(&src);
	return rc;
}

s16 gnttab_swap(struct domain *d, grant_ref_t a, grant_ref_t b)
{
	struct grant_table *t = d->gnttab;
	struct grant_active *act[2];
	grant_entry_v1_t *entry[2], tmp;
	grant_ref_t ref[2] = { a, b };

	for (int i = 0; i < 2; i++) {
		if (ref[i] / GRANTS_PER_FRAME >= t->nr_frames)
			return GNTST_bad_gntref;
		ref[i] = (grant_ref_t)index_nospec(ref[i], (size_t)t->nr_frames * GRANTS_PER_FRAME);
		act[i] = &t->active[ref[i] / GRANTS_PER_FRAME][ref[i] % GRANTS_PER_FRAME];
		entry[i] = &t->shared[ref[i] / GRANTS_PER_FRAME][ref[i] % GRANTS_PER_FRAME];
		if (act[i]->pins.host_read | act[i]->pins.host_write | act[i]->pins.dev_read |
		    act[i]->pins.dev_write)
			return GNTST_eagain;
	}
	tmp = *entry[0];
	*entry[0] = *entry[1];
	*entry[1] = tmp;
	return GNTST_okay;
}
