/* SPDX-License-Identifier: MIT */
/*
 * pv_layout.h - where everything goes in a new PV guest.
 *
 * Pure arithmetic over a parsed kernel. Pseudo-physical order:
 *
 *   kernel | initrd if mapped | p2m if mapped there | start_info | store page | console page |
 *   page tables | boot stack | 512 KiB or more of padding, up to 4 MiB alignment or memory's end ||
 *   p2m if the kernel names its own address | initrd if left unmapped
 *
 * All up to the double bar is mapped from the kernel's VIRT_BASE.
 * Source: xen/xen.h, "Start-of-day memory layout"; xen/elfnote.h.
 */
#ifndef XEND_PV_LAYOUT_H
#define XEND_PV_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "elf64.h"

/* A run of frames and the address it is mapped at, if it is. */
struct pv_area {
	uint64_t pfn;
	uint64_t nr;
	uint64_t vaddr;
};

#define PV_LEVELS 4
#define PV_MAX_RANGES 2

/* Page tables of one level that a mapped range needs: indices [first, last]. */
struct pv_tables {
	uint64_t first, last;
	uint64_t pfn;			/* of the table for index first */
};

struct pv_layout {
	uint64_t nr_pages;
	uint64_t virt_base, virt_end;	/* the initial mapping */
	struct pv_area kernel, initrd, p2m, start_info, store, console, tables, stack;
	bool initrd_mapped, p2m_mapped_apart;
	uint64_t initrd_len;
	uint64_t entry;
	uint64_t hypercall_pfn;		/* valid when has_hypercall_page */
	bool has_hypercall_page;
	uint64_t paddr_delta;		/* subtract from a segment's paddr: guest address */

	unsigned int nr_ranges;
	struct pv_area range[PV_MAX_RANGES];			/* what is mapped */
	unsigned int nr_tables[PV_LEVELS + 1];			/* runs a level, merged */
	struct pv_tables table[PV_LEVELS + 1][PV_MAX_RANGES];	/* [1..4] */
};

/*
 * Lays out a guest of @nr_pages frames. 0, or
 *  -ENOMEM  the memory cannot hold kernel, initrd and tables; *needed_pages says what could
 *  -EINVAL  the kernel asks for addresses that no guest can have
 */
int pv_layout_plan(struct pv_layout *l, const struct elf64 *elf, uint64_t nr_pages,
		   uint64_t initrd_len, uint64_t *needed_pages);

/* The frame of the page table of @level (1-4) that covers @vaddr; false if there is none. */
bool pv_layout_table(const struct pv_layout *l, unsigned int level, uint64_t vaddr, uint64_t *pfn);

/* Bits of address below one table of @level: 21, 30, 39, 48. */
static inline unsigned int pv_level_shift(unsigned int level)
{
	return 12 + 9 * level;
}

#endif
