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
 * Ends @d's allocation of @f: drops the ALLOC reference once (idempotent: false when it was gone). The caller
 * must hold a reference of its own or know the frame stays (the heap gets it when the last ref goes).
 */
bool domain_frame_release(struct frame *f);

#endif
