/* SPDX-License-Identifier: MIT */
/* memory.h - what the three files of memory_op share. */
#ifndef HV_HYPERCALL_MEMORY_H
#define HV_HYPERCALL_MEMORY_H

#include "domain/domain.h"
#include "domain/memory.h"

#include <xen/memory.h>

#include "hypercall/handlers.h"

/* memory_op's command word: the operation below, the first extent still to do above. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK ((1ULL << MEMOP_EXTENT_SHIFT) - 1)
/* Largest extents, so that a step between two preemption checks stays bounded (C27). */
#define EXTENT_ORDER_MAX_GUEST 9
#define EXTENT_ORDER_MAX_DOM0 12

static inline unsigned int extent_order_max(void)
{
	return current->domain->is_privileged ? EXTENT_ORDER_MAX_DOM0 : EXTENT_ORDER_MAX_GUEST;
}

/* Width of addresses a reservation allows, for domain_frames_alloc. False: none can be. */
static inline bool extent_addr_bits(u32 mem_flags, unsigned int *bits)
{
	*bits = mem_flags & 0xff;
	return *bits == 0 || *bits > PAGE_SHIFT;
}

/* Increase, decrease, populate: args->value is how many extents are done, also when one failed. */
long memory_reservation(struct hc_args *a);
long memory_exchange(struct hc_args *a);

#endif
