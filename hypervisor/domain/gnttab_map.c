/* SPDX-License-Identifier: MIT */
/*
 * gnttab_map.c - mapping and unmapping other domains' granted frames into current's page tables,
 * and the maptrack that remembers them. Rules: security.md C32-C34, D8.
 */
#include "domain/frame_ref.h"
#include "domain/gnttab.h"
#include "domain/guest.h"
#include "domain/preempt.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/nospec.h"
#include "mm/frame.h"

#define HANDLES_PER_CHECK 64 /* of a dying domain's, between two looks whether others wait */

/* --- maptrack --- */

static struct maptrack *maptrack_entry(const struct grant_table *t, grant_handle_t handle)
{
	if (handle / MAPTRACK_PER_PAGE >= t->nr_maptrack_pages)
		return NULL;
	handle = (grant_handle_t)index_nospec(handle, t->nr_maptrack_pages * MAPTRACK_PER_PAGE);
	return &t->maptrack[handle / MAPTRACK_PER_PAGE][handle % MAPTRACK_PER_PAGE];
}

static bool maptrack_is_mapped(const struct maptrack *m)
{
	return m->flags & (GNTMAP_host_map | GNTMAP_device_map);
}

static bool maptrack_grow(struct grant_table *t)
{
	u32 base = t->nr_maptrack_pages * MAPTRACK_PER_PAGE;
	struct maptrack *page;

	if (t->nr_maptrack_pages >= t->max_maptrack_pages)
		return false;
	page = xzalloc(PAGE_SIZE);
	if (!page)
		return false;
	for (u32 i = 0; i < MAPTRACK_PER_PAGE; i++)
		page[i].ref = i + 1 < MAPTRACK_PER_PAGE ? base + i + 1 : t->maptrack_free;
	t->maptrack[t->nr_maptrack_pages++] = page;
	t->maptrack_free = base;
	return true;
}

static struct maptrack *maptrack_alloc(struct grant_table *t, grant_handle_t *handle)
{
	struct maptrack *m;

	if (t->maptrack_free == MAPTRACK_NONE && !maptrack_grow(t))
		return NULL;
	*handle = t->maptrack_free;
	m = maptrack_entry(t, *handle);
	t->maptrack_free = m->ref;
	t->nr_mapped++;
	return m;
}

static void maptrack_free(struct grant_table *t, grant_handle_t handle)
{
	struct maptrack *m = maptrack_entry(t, handle);

	*m = (struct maptrack){ .ref = t->maptrack_free };
	t->maptrack_free = handle;
	t->nr_mapped--;
}

/* --- references of one mapping: a general one, and a WR type when writable --- */

static s16 mapping_get(struct domain *rd, grant_ref_t ref, struct domain *ld, bool writable,
		       bool is_device, struct frame **frame)
{
	struct grant_active *act;
	s16 rc = gnttab_pin(rd, ref, ld, writable, is_device, &act);

	if (rc != GNTST_okay)
		return rc;
	*frame = act->frame;
	/*
	 * The hypervisor's own shared pages are not counted among the granter's frames: not
	 * granted.
	 */
	if (act->frame->ref & FRAME_XENHEAP)
		goto out_unpin;
	if (writable ? frame_get_and_type(act->frame, rd, FT_WR) == 0 : frame_get(act->frame, rd))
		return GNTST_okay;
out_unpin:
	gnttab_unpin(rd, ref, writable, is_device);
	return GNTST_general_error;
}

static void mapping_put(struct domain *rd, grant_ref_t ref, struct frame *frame, bool writable,
			bool is_device)
{
	/* A dying granter may go with this very reference: not before its entry is unpinned. */
	domain_hold(rd);
	if (writable) {
		frame_note_write(frame); /* until now it may have been */
		frame_put_and_type(frame);
	} else {
		frame_put(frame);
	}
	gnttab_unpin(rd, ref, writable, is_device);
	domain_unhold(rd);
}

static s16 errno_to_gntst(int rc)
{
	return rc == -EPERM ? GNTST_permission_denied : GNTST_bad_virt_addr;
}

/* --- map --- */

static s16 host_map(struct domain *rd, const struct gnttab_map_grant_ref *op,
		    struct frame **frame)
{
	bool writable = !(op->flags & GNTMAP_readonly);
	s16 rc = mapping_get(rd, op->ref, current->domain, writable, false, frame);
	int err;

	if (rc != GNTST_okay)
		return rc;
	err = pv_grant_map_pte(op->host_addr, op->flags, frame_to_mfn(*frame));
	if (!err)
		return GNTST_okay;
	mapping_put(rd, op->ref, *frame, writable, false);
	return errno_to_gntst(err);
}

static s16 map_parts(struct domain *rd, const struct gnttab_map_grant_ref *op,
		     struct frame **frame)
{
	bool writable = !(op->flags & GNTMAP_readonly);
	s16 rc;

	if (op->flags & GNTMAP_device_map) {
		rc = mapping_get(rd, op->ref, current->domain, writable, true, frame);
		if (rc != GNTST_okay)
			return rc;
	}
	if (op->flags & GNTMAP_host_map) {
		struct frame *device_frame = *frame;

		rc = host_map(rd, op, frame);
		if (rc != GNTST_okay) {
			if (op->flags & GNTMAP_device_map)
				mapping_put(rd, op->ref, device_frame, writable, true);
			return rc;
		}
	}
	return GNTST_okay;
}

void gnttab_map(struct gnttab_map_grant_ref *op)
{
	struct domain *ld = current->domain, *rd = domain_find(op->dom);
	struct frame *frame = NULL;
	grant_handle_t handle;
	struct maptrack *m;

	op->handle = ~0u;
	op->dev_bus_addr = 0;
	if (!(op->flags & (GNTMAP_device_map | GNTMAP_host_map))) {
		op->status = GNTST_bad_gntref;
		return;
	}
	if (!rd || rd->is_dying || !rd->gnttab) {
		op->status = GNTST_bad_domain;
		return;
	}
	m = maptrack_alloc(ld->gnttab, &handle);
	if (!m) {
		op->status = GNTST_no_device_space;
		return;
	}
	op->status = map_parts(rd, op, &frame);
	if (op->status != GNTST_okay) {
		maptrack_free(ld->gnttab, handle);
		return;
	}
	m->domid = rd->domain_id;
	m->ref = op->ref;
	m->flags = op->flags & (GNTMAP_device_map | GNTMAP_host_map | GNTMAP_readonly |
				GNTMAP_application_map | GNTMAP_contains_pte);
	op->handle = handle;
	op->dev_bus_addr = mfn_to_maddr(frame_to_mfn(frame));
}

/* --- unmap --- */

s16 gnttab_unmap_prepare(struct gnttab_unmap_state *st, grant_handle_t handle, u64 host_addr,
			 u64 dev_bus_addr, u64 new_addr)
{
	struct domain *rd;
	struct grant_active *act;
	struct maptrack *m = maptrack_entry(current->domain->gnttab, handle);

	*st = (struct gnttab_unmap_state){ .handle = handle };
	if (!m || !maptrack_is_mapped(m))
		return GNTST_bad_handle;
	rd = domain_find(m->domid);
	BUG_ON(!rd || !rd->gnttab); /* our references keep the granter, even a dying one */
	act = &rd->gnttab->active[m->ref / GRANTS_PER_FRAME][m->ref % GRANTS_PER_FRAME];
	st->ref = m->ref;
	st->frame = act->frame;
	st->is_readonly = m->flags & GNTMAP_readonly;

	if (dev_bus_addr && m->flags & GNTMAP_device_map) {
		if (dev_bus_addr != mfn_to_maddr(frame_to_mfn(act->frame)))
			return GNTST_general_error;
		st->done |= GNTMAP_device_map;
	}
	if (host_addr && m->flags & GNTMAP_host_map) {
		int rc = pv_grant_unmap_pte(host_addr, new_addr, m->flags,
					    frame_to_mfn(act->frame));

		if (rc)
			return errno_to_gntst(rc);
		st->done |= GNTMAP_host_map;
	}
	st->rd = rd;
	/* gone from here on: the same handle again in this batch finds nothing to undo (C32) */
	m->flags &= ~st->done;
	st->is_last = st->done && !maptrack_is_mapped(m);
	return GNTST_okay;
}

static void references_put(struct domain *rd, grant_ref_t ref, struct frame *frame, u16 done,
			   bool writable)
{
	if (done & GNTMAP_device_map)
		mapping_put(rd, ref, frame, writable, true);
	if (done & GNTMAP_host_map)
		mapping_put(rd, ref, frame, writable, false);
}

void gnttab_unmap_complete(struct gnttab_unmap_state *st)
{
	if (!st->rd)
		return;
	if (st->is_last)
		maptrack_free(current->domain->gnttab, st->handle);
	references_put(st->rd, st->ref, st->frame, st->done, !st->is_readonly);
}

/* Undoes what @handle, any, of @t maps: @t's domain is dying, and its page tables run no more. */
static void handle_release(struct grant_table *t, grant_handle_t handle)
{
	const struct maptrack *m = maptrack_entry(t, handle);
	u16 done = m->flags & (GNTMAP_host_map | GNTMAP_device_map);
	bool writable = !(m->flags & GNTMAP_readonly);
	grant_ref_t ref = m->ref;
	struct domain *rd;

	if (!done)
		return;
	rd = domain_find(m->domid);
	BUG_ON(!rd || !rd->gnttab);
	maptrack_free(t, handle);
	references_put(rd, ref,
		       rd->gnttab->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME].frame,
		       done, writable);
}

int gnttab_release_mappings(struct domain *d)
{
	struct grant_table *t = d->gnttab;

	while (t && t->release_cursor < t->nr_maptrack_pages * MAPTRACK_PER_PAGE) {
		handle_release(t, t->release_cursor);
		/* of any handle, in use or not: it was the guest that chose those which are */
		if (++t->release_cursor % HANDLES_PER_CHECK == 0 && hypercall_should_preempt())
			return -ERESTART;
	}
	while (t && t->nr_maptrack_pages) {
		t->maptrack_free = MAPTRACK_NONE;
		xfree(t->maptrack[--t->nr_maptrack_pages]);
		if (hypercall_should_preempt())
			return -ERESTART;
	}
	if (t)
		t->release_cursor = 0; /* gnttab_release_frames() has it next */
	return 0;
}
