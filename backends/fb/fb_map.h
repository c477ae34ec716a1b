/* SPDX-License-Identifier: MIT */
/*
 * fb_map.h - a guest's memory by frame number, as the screen's protocol names it.
 *
 * The handle is restricted to its one guest by the kernel before the process serves it: who takes
 * the process over can map what its guest has anyway, and make no hypercall of its own. The guest's
 * numbers are its gfns, which for a paravirtual guest are machine frames; whose they are, the
 * hypervisor judges.
 */
#ifndef BACKENDS_FB_MAP_H
#define BACKENDS_FB_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "fb_ring.h"

struct fb_map; /* the handle */

/* Opens it for domain @domid alone. NULL: errno. */
struct fb_map *fb_map_open(uint32_t domid);

/* Maps the shared page @gfn to be written. NULL: errno. */
struct xenfb_page *fb_map_page(struct fb_map *m, uint64_t gfn);

void fb_map_page_end(struct fb_map *m, struct xenfb_page *page);

/*
 * Maps the @bytes of memory (at most FB_MEMORY_MAX) that @page's directory names, to be read.
 * NULL: errno; EINVAL: a number that is not the guest's.
 */
const uint8_t *fb_map_memory(struct fb_map *m, const struct xenfb_page *page, uint32_t bytes);

void fb_map_memory_end(struct fb_map *m, const uint8_t *memory, uint32_t bytes);

void fb_map_close(struct fb_map *m);

#endif
