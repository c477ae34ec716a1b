/* SPDX-License-Identifier: MIT */
/*
 * frame_ref.c - general references to frames: who may take one, and what follows the last. Rules:
 * security.md D2.
 */
#include "domain/frame_ref.h"

#include "domain/domain.h"
#include "domain/memory.h"
#include "lib/log.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "x86/tlb.h"

struct domain *frame_owner(const struct frame *f)
{
	return f->owner < DOMID_FIRST_RESERVED ? domain_find(f->owner) : NULL;
}

bool frame_get(struct frame *f, const struct domain *d)
{
	u64 count = frame_ref_count(f);

	if (unlikely(f->owner != d->domain_id || count == 0 || count == FRAME_REF_MASK))
		return false;
	/* I11: a dying owner gives out nothing more; teardown only ever puts. */
	if (unlikely(d->is_dying))
		return false;
	/*
	 * Nor does a path that the CPU takes by mistake look into what is another's (lib/nospec.h).
	 */
	fence_nospec();
	f->ref++;
	return true;
}

void frame_get_held(struct frame *f)
{
	BUG_ON(frame_ref_count(f) == 0);
	f->ref++;
}

/*
 * The last reference is gone: D9. A guest that never flushed could still write the frame: flush
 * first, or its words would come after the scrubbing and be the next owner's. Who can only read
 * will read zeroes, until he is flushed when the frame is given out again.
 */
static void frame_release_to_heap(struct frame *f)
{
	struct domain *owner = frame_owner(f);

	BUG_ON(f->ref & FRAME_ALLOC);
	BUG_ON(frame_type_count(f) != 0);
	if (frame_type_of(f) == FT_WR)
		tlb_flush_stale(owner ? &owner->tlb : NULL, f->stamp);
	if (owner)
		tlb_note_released(&owner->tlb);
	if (f->ref & FRAME_XENHEAP) {
		/* The owner of the memory frees it; the record goes back to the hypervisor. */
		frame_set_refs(f, 0);
		f->type = 0;
		f->owner = DOMID_XEN;
		/*
		 * a mapping of shared_info or of grant frames was the last thing a dead domain
		 * waited for
		 */
		if (owner && owner->is_dying)
			domain_try_free(owner);
		return;
	}
	if (owner)
		domain_mem_lost(owner, f);
	memset(mfn_to_virt(frame_to_mfn(f)), 0, PAGE_SIZE);
	m2p_set(frame_to_mfn(f), M2P_INVALID);
	frame_set_refs(f, 0);
	f->type = 0; /* C23: no type and no VALID bit outlives an owner */
	f->stamp = tlb_clock();
	frames_free(f, 0);
	if (owner && owner->is_dying && owner->tot_pages == 0)
		domain_try_free(owner);
}

void frame_put(struct frame *f)
{
	BUG_ON(frame_ref_count(f) == 0);
	f->ref--;
	if (frame_ref_count(f) == 0)
		frame_release_to_heap(f);
}

void frame_share(void *va, struct domain *d, bool writable)
{
	struct frame *f = virt_to_frame(va);

	/*
	 * One permanent type reference: WR lets RW entries in, NONE keeps every writable one out.
	 */
	f->type = ((u32)(writable ? FT_WR : FT_NONE) << FT_SHIFT) | FT_VALID | 1;
	f->owner = d->domain_id;
	frame_set_refs(f, FRAME_XENHEAP | FRAME_ALLOC | 1);
	d->xenheap_pages++;
}

bool frame_unshare(void *va)
{
	struct frame *f = virt_to_frame(va);
	struct domain *d = frame_owner(f);

	if (f->ref & FRAME_ALLOC) {
		f->ref &= ~FRAME_ALLOC;
		if (d)
			d->xenheap_pages--;
		f->type--;
		f->stamp = tlb_clock();
		frame_put(f);
	}
	return f->owner == DOMID_XEN;
}
