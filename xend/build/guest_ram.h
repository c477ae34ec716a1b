/* SPDX-License-Identifier: MIT */
/*
 * guest_ram.h - the builder's only way to a new domain's memory.
 *
 * A window opens a run of pseudo-physical frames for reading and writing. The daemon maps
 * foreign frames (build_pv.c); the tests use plain memory, so that the builder's core runs on
 * any host.
 */
#ifndef XEND_GUEST_RAM_H
#define XEND_GUEST_RAM_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_PAGE_SIZE 4096u
#define GUEST_WINDOW_PAGES 1024u	/* at most this many frames in one window */

struct guest_ram {
	const uint64_t *p2m;		/* pfn -> mfn, nr_pages entries */
	uint64_t nr_pages;

	/* NULL with errno set when the frames cannot be mapped. */
	void *(*map)(struct guest_ram *ram, uint64_t pfn, size_t nr);
	void (*unmap)(struct guest_ram *ram, void *window, size_t nr);
};

/*
 * Copies @len bytes to pseudo-physical address @paddr. 0, -ERANGE when the range is not all
 * memory of the domain, or the negative errno of the mapping.
 */
int guest_ram_write(struct guest_ram *ram, uint64_t paddr, const void *data, size_t len);

/* As guest_ram_write(), with zeros. */
int guest_ram_zero(struct guest_ram *ram, uint64_t paddr, uint64_t len);

#endif
