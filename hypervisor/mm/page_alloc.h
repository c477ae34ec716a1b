/* SPDX-License-Identifier: MIT */
/* page_alloc.h - what only mm/ needs of the buddy allocator beside mm/frame.h. */
#ifndef HV_MM_PAGE_ALLOC_H
#define HV_MM_PAGE_ALLOC_H

#include "mm/frame.h"

/* Empties the heap: before the first page_alloc_add(). */
void page_alloc_init(void);

/* RAM added at boot was never scrubbed: zeroes a frame that still is FRAME_DIRTY. */
void frame_clean(struct frame *f);

#endif
