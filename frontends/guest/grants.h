/* SPDX-License-Identifier: MIT */
/* grants.h - the guest's own grant table, version 1: offering pages, and mapping others'. */
#ifndef KIT_GRANTS_H
#define KIT_GRANTS_H

#include "guest/guest.h"

#include <xen/grant_table.h>

/* Sets the table up and maps it on first use; panics when the hypervisor has none. */
struct grant_entry_v1 *grants_table(void);
/* A free reference; panics when all of the first frame's are in use. */
grant_ref_t grant_alloc(void);
/* Offers frame @mfn to @domid; @flags: GTF_readonly or 0. */
grant_ref_t grant_offer(domid_t domid, u64 mfn, u16 flags);
/* Takes the offer back; false: somebody uses it, and it stays. */
bool grant_end(grant_ref_t ref);

/* What the hypervisor answered; status GNTST_*. */
struct gnttab_map_grant_ref grant_map(domid_t domid, grant_ref_t ref, const void *va, u32 flags);
/* Its status; the page there stays without a frame. */
int grant_unmap(grant_handle_t handle, const void *va);

#endif
