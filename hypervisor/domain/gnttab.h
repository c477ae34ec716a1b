/* SPDX-License-Identifier: MIT */
/*
 * gnttab.h - grant tables, version 1: the shared tables, active entries with their pins, and the
 * maptrack of what a domain has mapped. Operations return GNTST_* (as s16), not errnos, where an
 * op structure carries a status.
 *
 * Rules: security.md D8, C31-C37. Each host or device mapping holds one general reference on
 * the frame, and a WR type reference when writable; pv_grant_map_pte() takes none.
 */
#ifndef HV_DOMAIN_GNTTAB_H
#define HV_DOMAIN_GNTTAB_H

#include "domain/domain.h"

#include <xen/grant_table.h>

#define GNTTAB_FRAMES_DEFAULT 64
#define GNTTAB_FRAMES_LIMIT 256
#define MAPTRACK_FRAMES_DEFAULT 1024
#define GRANTS_PER_FRAME (PAGE_SIZE / sizeof(grant_entry_v1_t))

/* How a granted frame is in use; the sums over all maptrack handles and copies under way. */
struct grant_pins {
	u32 host_read, host_write, dev_read, dev_write;
};

/* What the hypervisor remembers of a grant entry from its first pin to its last (C31). */
struct grant_active {
	struct grant_pins pins;
	domid_t domid;       /* who may use it */
	struct frame *frame; /* snapshot; valid while any pin is set */
};

struct maptrack {
	domid_t domid; /* granter */
	u16 flags;     /* GNTMAP_{host_map,device_map,readonly}; 0: free */
	u32 ref;       /* grant reference; on the free list: next free handle */
};

struct grant_table {
	u32 nr_frames, max_frames;
	/* [nr_frames], each a page shared with the domain; NULL: a dead one's, unused */
	grant_entry_v1_t **shared;
	struct grant_active **active;  /* [nr_frames], GRANTS_PER_FRAME each; NULL: as above */
	struct maptrack **maptrack;    /* [nr_maptrack_pages] */
	u32 nr_maptrack_pages, max_maptrack_pages;
	u32 maptrack_free; /* first free handle, MAPTRACK_NONE: none */
	u32 nr_mapped;     /* handles in use */
	u32 release_cursor; /* of the domain's end: handles, then frames */
};
#define MAPTRACK_NONE (~0u)
#define MAPTRACK_PER_PAGE (PAGE_SIZE / sizeof(struct maptrack))

int gnttab_init(struct domain *d); /* by d->max_grant_frames, max_maptrack_frames. 0, -ENOMEM */
/*
 * Preemptible release of everything @d has mapped: pins and references, then the maptrack; the
 * entries themselves are in page tables that never run again. -ERESTART; 0.
 */
int gnttab_release_mappings(struct domain *d);
/*
 * Preemptible, of dying @d, which has nothing mapped any more: frees of the tables what others do
 * not still use; that is left to gnttab_fini(). -ERESTART; 0.
 */
int gnttab_release_frames(struct domain *d);
/* Unshares and frees the tables. False: a frame is still mapped by somebody, try again later. */
bool gnttab_fini(struct domain *d);

/* Grows the shared table to @nr_frames. 0; -EINVAL above the limit; -ENOMEM. */
int gnttab_grow(struct domain *d, u32 nr_frames);
/* Machine frame of shared table frame @idx; grows the table if needed. 0, -EINVAL, -ENOMEM. */
int gnttab_get_shared_frame(struct domain *d, u32 idx, mfn_t *mfn);

/*
 * Notes a write (FRAME_WRITTEN) to each frame of @d's that a grant in use lets somebody write, from
 * entry *@cursor on, 0 at first. -ERESTART: preempted, to go on at *@cursor; 0.
 */
int gnttab_note_writers(const struct domain *d, u64 *cursor);

/*
 * Pins entry @ref of @rd for @ld (C31: one snapshot, set by compare-and-swap). @writable,
 * @is_device. Takes no frame references. GNTST_okay and the active entry, or the GNTST_* error.
 */
s16 gnttab_pin(struct domain *rd, grant_ref_t ref, const struct domain *ld, bool writable,
	       bool is_device, struct grant_active **out);
/*
 * Undoes gnttab_pin; the last pin clears GTF_reading/writing (after the caller dropped its refs).
 */
void gnttab_unpin(struct domain *rd, grant_ref_t ref, bool writable, bool is_device);

/* --- gnttab_map.c: each does one op for `current`'s domain --- */
void gnttab_map(struct gnttab_map_grant_ref *op);

/* An unmap goes in two halves around one TLB flush a batch (C33). */
struct gnttab_unmap_state {
	grant_handle_t handle;
	struct domain *rd; /* NULL: nothing to complete */
	grant_ref_t ref;
	struct frame *frame;
	u16 done; /* GNTMAP_* mappings whose entries are gone */
	bool is_readonly;
	bool is_last; /* the handle has no mapping left */
};
s16 gnttab_unmap_prepare(struct gnttab_unmap_state *st, grant_handle_t handle, u64 host_addr,
			 u64 dev_bus_addr, u64 new_addr);
void gnttab_unmap_complete(struct gnttab_unmap_state *st);

/* --- gnttab_copy.c --- */
s16 gnttab_copy_one(const struct gnttab_copy *op);
s16 gnttab_swap(struct domain *d, grant_ref_t a, grant_ref_t b);

#endif
