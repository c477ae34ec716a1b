/* SPDX-License-Identifier: MIT */
/*
 * gnttab.c - the grant table of a domain: its shared frames, its active entries and their pins.
 * Mapping is gnttab_map.c's, copying gnttab_copy.c's. ABI: xen/grant_table.h, version 1.
 */
#include "domain/gnttab.h"

#include "domain/frame_ref.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/layout.h"

_Static_assert(sizeof(grant_entry_v1_t) == 8, "xen/grant_table.h: struct grant_entry_v1");
_Static_assert(offsetof(grant_entry_v1_t, frame) == 4, "xen/grant_table.h: struct grant_entry_v1");

int gnttab_init(struct domain *d)
{
	struct grant_table *t = xzalloc_obj(struct grant_table);

	if (!t)
		return -ENOMEM;
	t->max_frames = MAX(d->max_grant_frames, 1u);
	t->max_maptrack_pages = d->max_maptrack_frames;
	t->maptrack_free = MAPTRACK_NONE;
	t->shared = xzalloc_array(grant_entry_v1_t *, t->max_frames);
	t->active = xzalloc_array(struct grant_active *, t->max_frames);
	t->maptrack = xzalloc_array(struct maptrack *, MAX(t->max_maptrack_pages, 1u));
	d->gnttab = t;
	if (t->shared && t->active && t->maptrack && gnttab_grow(d, 1) == 0)
		return 0;
	gnttab_fini(d);
	return -ENOMEM;
}

/* Frees shared frame @idx. False: a guest still maps it. */
static bool shared_frame_free(struct grant_table *t, u32 idx)
{
	if (!t->shared[idx])
		return true;
	if (!frame_unshare(t->shared[idx]))
		return false;
	xen_pages_free(t->shared[idx], 0);
	t->shared[idx] = NULL;
	return true;
}

static bool frame_is_pinned(const struct grant_active *active)
{
	for (u32 i = 0; i < GRANTS_PER_FRAME; i++)
		if (active[i].frame)
			return true;
	return false;
}

int gnttab_release_frames(struct domain *d)
{
	struct grant_table *t = d->gnttab;

	/*
	 * from the end; where somebody uses one, those before it go all the same: whoever pins the
	 * last would keep them all
	 */
	for (; t->release_cursor < t->nr_frames; t->release_cursor++) {
		u32 idx = t->nr_frames - 1 - t->release_cursor;

		if (t->active[idx] && !frame_is_pinned(t->active[idx]) &&
		    shared_frame_free(t, idx)) {
			xfree(t->active[idx]);
			t->active[idx] = NULL;
		}
		if (hypercall_should_preempt()) {
			t->release_cursor++;
			return -ERESTART;
		}
	}
	xfree(t->maptrack);
	t->maptrack = NULL;
	return 0;
}

bool gnttab_fini(struct domain *d)
{
	struct grant_table *t = d->gnttab;
	bool all_free = true;

	if (!t)
		return true;
	for (u32 i = 0; i < t->nr_frames; i++)
		all_free &= shared_frame_free(t, i);
	if (!all_free)
		return false;
	for (u32 i = 0; t->active && i < t->nr_frames; i++)
		xfree(t->active[i]);
	for (u32 i = 0; t->maptrack && i < t->nr_maptrack_pages; i++)
		xfree(t->maptrack[i]);
	xfree(t->shared);
	xfree(t->active);
	xfree(t->maptrack);
	xfree(t);
	d->gnttab = NULL;
	return true;
}

int gnttab_grow(struct domain *d, u32 nr_frames)
{
	struct grant_table *t = d->gnttab;

	if (nr_frames > t->max_frames)
		return -EINVAL;
	while (t->nr_frames < nr_frames) {
		struct grant_active *active = xzalloc_array(struct grant_active, GRANTS_PER_FRAME);
		grant_entry_v1_t *page = active ? xen_pages_alloc(0) : NULL;

		if (!page) {
			xfree(active);
			return -ENOMEM;
		}
		frame_share(page, d, true);
		t->active[t->nr_frames] = active;
		t->shared[t->nr_frames] = page;
		t->nr_frames++; /* C36: entry before limit */
	}
	return 0;
}

int gnttab_get_shared_frame(struct domain *d, u32 idx, mfn_t *mfn)
{
	int rc;

	if (!d->gnttab || d->is_dying || idx >= d->gnttab->max_frames)
		return -EINVAL;
	rc = gnttab_grow(d, MAX(d->gnttab->nr_frames, idx + 1));
	if (rc)
		return rc;
	*mfn = virt_to_mfn(d->gnttab->shared[idx]);
	return 0;
}

static bool ref_is_valid(const struct grant_table *t, grant_ref_t ref)
{
	return t && ref / GRANTS_PER_FRAME < t->nr_frames;
}

/* @ref: found to be valid. */
static grant_ref_t ref_nospec(const struct grant_table *t, grant_ref_t ref)
{
	return (grant_ref_t)index_nospec(ref, (size_t)t->nr_frames * GRANTS_PER_FRAME);
}

static grant_entry_v1_t *shared_entry(const struct grant_table *t, grant_ref_t ref)
{
	ref = ref_nospec(t, ref);
	return &t->shared[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

static struct grant_active *active_entry(const struct grant_table *t, grant_ref_t ref)
{
	ref = ref_nospec(t, ref);
	return &t->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

static bool is_pinned(const struct grant_pins *p)
{
	return p->host_read | p->host_write | p->dev_read | p->dev_write;
}

static bool is_write_pinned(const struct grant_pins *p)
{
	return p->host_write | p->dev_write;
}

/*
 * Sets GTF_reading (and GTF_writing) on the shared entry, if it is what @ld may use. Flags and
 * domid are one word, taken once and changed by compare-and-swap: the granter may be writing it.
 */
static s16 flags_set(grant_entry_v1_t *entry, domid_t ld, bool writable)
{
	volatile u32 *word = (volatile u32 *)entry;

	for (unsigned int tries = 0; tries < 5; tries++) {
		u32 old = *word;
		u32 new = old | GTF_reading | (writable ? GTF_writing : 0);
		u16 flags = (u16)old;

		if ((flags & GTF_type_mask) != GTF_permit_access || old >> 16 != ld)
			return GNTST_general_error;
		if (writable && flags & GTF_readonly)
			return GNTST_general_error;
		if (__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
	return GNTST_eagain;
}

static void flags_clear(grant_entry_v1_t *entry, u16 flags)
{
	__atomic_and_fetch((u16 *)&entry->flags, (u16)~flags, __ATOMIC_SEQ_CST);
}

static u32 *pin_counter(struct grant_pins *p, bool writable, bool is_device)
{
	if (is_device)
		return writable ? &p->dev_write : &p->dev_read;
	return writable ? &p->host_write : &p->host_read;
}

int gnttab_note_writers(const struct domain *d, u64 *cursor)
{
	const struct grant_table *t = d->gnttab;

	while (t && *cursor < (u64)t->nr_frames * GRANTS_PER_FRAME) {
		const struct grant_active *act =
			&t->active[*cursor / GRANTS_PER_FRAME][*cursor % GRANTS_PER_FRAME];

		if (act->pins.host_write | act->pins.dev_write)
			frame_note_write(act->frame);
		if (++*cursor % GRANTS_PER_FRAME == 0 && hypercall_should_preempt())
			return -ERESTART;
	}
	return 0;
}

s16 gnttab_pin(struct domain *rd, grant_ref_t ref, const struct domain *ld, bool writable,
	       bool is_device, struct grant_active **out)
{
	struct grant_table *t = rd->gnttab;
	struct grant_active *act;
	grant_entry_v1_t *entry;
	u32 *counter;
	s16 rc;

	if (!ref_is_valid(t, ref))
		return GNTST_bad_gntref;
	act = active_entry(t, ref);
	entry = shared_entry(t, ref);
	counter = pin_counter(&act->pins, writable, is_device);
	if (*counter == ~0u)
		return GNTST_no_space;
	if (is_pinned(&act->pins) && act->domid != ld->domain_id)
		return GNTST_general_error;
	if (!is_pinned(&act->pins) || (writable && !is_write_pinned(&act->pins))) {
		rc = flags_set(entry, ld->domain_id, writable);
		if (rc != GNTST_okay)
			return rc;
	}
	if (!is_pinned(&act->pins)) {
		mfn_t mfn = _mfn(READ_ONCE(entry->frame));

		if (!mfn_is_ram(mfn)) {
			flags_clear(entry, GTF_reading | GTF_writing);
			return GNTST_general_error;
		}
		act->domid = ld->domain_id;
		act->frame = mfn_to_frame(mfn);
	}
	++*counter;
	*out = act;
	return GNTST_okay;
}

void gnttab_unpin(struct domain *rd, grant_ref_t ref, bool writable, bool is_device)
{
	struct grant_active *act = active_entry(rd->gnttab, ref);
	u32 *counter = pin_counter(&act->pins, writable, is_device);
	grant_entry_v1_t *entry;

	BUG_ON(*counter == 0);
	--*counter;
	entry = shared_entry(rd->gnttab, ref);
	if (!is_pinned(&act->pins)) {
		act->frame = NULL;
		flags_clear(entry, GTF_reading | GTF_writing);
	} else if (writable && !is_write_pinned(&act->pins)) {
		flags_clear(entry, GTF_writing);
	}
}
