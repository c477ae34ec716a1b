/* SPDX-License-Identifier: MIT */
/*
 * gcopy.h - a batch of copies between own memory and a guest's granted pages.
 *
 * The hypervisor copies, so the data is a snapshot: nothing a guest changes later is seen, no
 * page of the guest is mapped and none can be left mapped. Each copy has its own result.
 */
#ifndef BACKENDS_GCOPY_H
#define BACKENDS_GCOPY_H

#include <stdint.h>

#include <xengnttab.h>

#include "granted.h"

#define GCOPY_PAGE 4096u
#define GCOPY_MAX 512

struct gcopy {
	const struct granted *own; /* where @mem mostly is; NULL: anywhere. The owner sets it */
	xengnttab_handle *gnt;
	uint16_t domid;
	uint32_t nr;
	xengnttab_grant_copy_segment_t seg[GCOPY_MAX];
};

/* Empties the batch. */
void gcopy_start(struct gcopy *g, xengnttab_handle *gnt, uint32_t domid);

/*
 * Adds one copy of @len bytes at @offset of granted page @ref (all three guest-controlled) from
 * or to @mem. Returns the copy's index, or -EINVAL when the range leaves the page, or -ENOSPC.
 * @len may be 0: nothing is copied and the copy succeeds.
 */
int gcopy_from(struct gcopy *g, void *mem, uint32_t ref, uint32_t offset, uint32_t len);
int gcopy_to(struct gcopy *g, uint32_t ref, uint32_t offset, const void *mem, uint32_t len);

/* Runs the batch. Returns 0, or -errno when no copy can be trusted to have happened. */
int gcopy_run(struct gcopy *g);

/* Did copies @first .. @first + @count - 1 all succeed? */
int gcopy_ok(const struct gcopy *g, uint32_t first, uint32_t count);

#endif
