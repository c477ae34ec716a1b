/* SPDX-License-Identifier: MIT */
/* gcopy.c - batched grant copies: see gcopy.h. */
#include "gcopy.h"

#include <errno.h>
#include <string.h>

void gcopy_start(struct gcopy *g, xengnttab_handle *gnt, uint32_t domid)
{
	g->gnt = gnt;
	g->domid = (uint16_t)domid;
	g->nr = 0;
}

/* A free segment with its result preset to failure, or NULL. */
static xengnttab_grant_copy_segment_t *add(struct gcopy *g, uint32_t offset, uint32_t len, int *rc)
{
	xengnttab_grant_copy_segment_t *seg;

	*rc = offset > GCOPY_PAGE || len > GCOPY_PAGE - offset ? -EINVAL : -ENOSPC;
	if (*rc == -EINVAL || g->nr == GCOPY_MAX)
		return NULL;
	*rc = (int)g->nr;
	seg = &g->seg[g->nr++];
	memset(seg, 0, sizeof(*seg));
	seg->len = (uint16_t)len;
	/* Nobody writes a result for an empty copy, which cannot fail. */
	seg->status = len ? GNTST_general_error : GNTST_okay;
	return seg;
}

/* Names the page of @mem by reference, if it can be. @gref: what the flags then say of it. */
static void name_own(const struct gcopy *g, xengnttab_grant_copy_segment_t *seg, uint16_t gref,
		     const void *mem, uint32_t len)
{
	uint32_t ref, offset;

	if (!g->own || !granted_find(g->own, mem, len, &ref, &offset)) {
		if (gref == GNTCOPY_dest_gref)
			seg->dest.virt = (void *)mem;
		else
			seg->source.virt = (void *)mem;
		return;
	}
	seg->flags |= gref;
	if (gref == GNTCOPY_dest_gref) {
		seg->dest.foreign.ref = ref;
		seg->dest.foreign.offset = (uint16_t)offset;
		seg->dest.foreign.domid = DOMID_SELF;
	} else {
		seg->source.foreign.ref = ref;
		seg->source.foreign.offset = (uint16_t)offset;
		seg->source.foreign.domid = DOMID_SELF;
	}
}

int gcopy_from(struct gcopy *g, void *mem, uint32_t ref, uint32_t offset, uint32_t len)
{
	int rc;
	xengnttab_grant_copy_segment_t *seg = add(g, offset, len, &rc);

	if (!seg)
		return rc;
	seg->flags = GNTCOPY_source_gref;
	seg->source.foreign.ref = ref;
	seg->source.foreign.offset = (uint16_t)offset;
	seg->source.foreign.domid = g->domid;
	name_own(g, seg, GNTCOPY_dest_gref, mem, len);
	return rc;
}

int gcopy_to(struct gcopy *g, uint32_t ref, uint32_t offset, const void *mem, uint32_t len)
{
	int rc;
	xengnttab_grant_copy_segment_t *seg = add(g, offset, len, &rc);

	if (!seg)
		return rc;
	seg->flags = GNTCOPY_dest_gref;
	name_own(g, seg, GNTCOPY_source_gref, mem, len);
	seg->dest.foreign.ref = ref;
	seg->dest.foreign.offset = (uint16_t)offset;
	seg->dest.foreign.domid = g->domid;
	return rc;
}

int gcopy_run(struct gcopy *g)
{
	if (g->nr == 0)
		return 0;
	if (xengnttab_grant_copy(g->gnt, g->nr, g->seg) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

int gcopy_ok(const struct gcopy *g, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		if (g->seg[i].status != GNTST_okay)
			return 0;
	return 1;
}
