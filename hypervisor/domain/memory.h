/* SPDX-License-Identifier: MIT */
/* memory.h - frames given to a domain and taken back: its memory, and the limit on it. */
#ifndef HV_DOMAIN_MEMORY_H
#define HV_DOMAIN_MEMORY_H

#include "mm/frame.h"

struct domain;

/*
 * Gives @d 2^@order new zeroed contiguous frames below 2^@addr_bits bytes (0: anywhere), each with
 * its ALLOC reference. @flags: 0 or MEMF_NO_ZERO (boot only). Checks d->tot_pages against
 * d->max_pages. Returns 0 and the first frame, -ENOMEM (heap or limit), -EINVAL (order too large).
 */
int domain_frames_alloc(struct domain *d, unsigned int order, unsigned int addr_bits,
			struct frame **out);
/*
 * Ends @d's allocation of @f: drops the ALLOC reference once (idempotent: false when it was gone).
 * The caller must hold a reference of its own or know the frame stays (the heap gets it when the
 * last ref goes).
 */
bool domain_frame_release(struct frame *f);

/* The count by chunks of a new domain, and its end. 0; -ENOMEM. */
int domain_mem_init(struct domain *d);
void domain_mem_fini(struct domain *d);
/* frame_ref.c: @f, @d's, is about to be nobody's. */
void domain_mem_lost(struct domain *d, const struct frame *f);

/* --- claims: frames promised to a domain under construction --- */

/* @d is promised @nr frames more, from now on; the sum over all domains is kept. */
void claim_set(struct domain *d, u64 nr);
/* Frames claimed by all domains and not yet allocated. */
u64 claims_outstanding(void);
/* True when others' claims leave @nr frames for @d. */
bool claims_allow(const struct domain *d, u64 nr);

#endif
