/* SPDX-License-Identifier: MIT */
/* frame_ref.h - general references to frames, and who owns them (security.md D2). */
#ifndef HV_DOMAIN_FRAME_REF_H
#define HV_DOMAIN_FRAME_REF_H

#include "mm/frame.h"

struct domain;

/*
 * Takes a general reference on @f if @d owns it. Fails (false) when the owner differs, the frame is
 * free, or the counter is at its maximum.
 */
bool must_check frame_get(struct frame *f, const struct domain *d);
/* Takes one more reference; the caller already holds one. */
void frame_get_held(struct frame *f);
/* Drops a general reference; the last one returns the frame, scrubbed, to the heap. */
void frame_put(struct frame *f);
/* The owning domain, or NULL (free, hypervisor's, IO). */
struct domain *frame_owner(const struct frame *f);

/*
 * Shares hypervisor memory (xenheap page at @va, from xen_pages_alloc) with @d. Writable: type WR;
 * else no WR typeref can ever be had. The frame never returns to the heap by put: the owner of the
 * memory calls frame_unshare() and frees it.
 */
void frame_share(void *va, struct domain *d, bool writable);
/* Undoes frame_share. False: still mapped by somebody (refs remain); the page must then be leaked
 * until the domain is destroyed. */
bool must_check frame_unshare(void *va);

#endif
