/* SPDX-License-Identifier: MIT */
/*
 * pv_layout.h - where everything goes in a new PV domain, dom0 and every other, and its first page
 * tables. Pure arithmetic over a parsed kernel. Pseudo-physical order:
 *
 *   kernel | initrd if mapped | p2m if mapped there | start_info | store page | console page |
 *   page tables | boot stack | 512 KiB or more of padding, up to 4 MiB alignment or memory's end ||
 *   p2m if the kernel names its own address | initrd if left unmapped
 *
 * All up to the double bar is mapped from the kernel's VIRT_BASE. dom0 has no store and no console
 * page.
 * Source: xen/xen.h, "Start-of-day memory layout"; xen/elfnote.h.
 */
#ifndef HV_LIB_PV_LAYOUT_H
#define HV_LIB_PV_LAYOUT_H

#include "lib/types.h"
#include "lib/xen_image.h"

/* A run of frames and the address it is mapped at, if it is. */
struct pv_area {
	u64 pfn;
	u64 nr;
	u64 vaddr;
};

#define PV_LEVELS 4
#define PV_MAX_RANGES 2
#define PV_LAYOUT_ENTRIES 512u

/* Page tables of one level that a mapped range needs: indices [first, last]. */
struct pv_tables {
	u64 first, last;
	u64 pfn; /* of the table for index first */
};

/* What is to be laid out besides the kernel. */
struct pv_wish {
	u64 nr_pages;	 /* of the domain */
	u64 initrd_len;	 /* bytes; 0: none */
	bool has_rings;	 /* a store and a console page */
};

struct pv_layout {
	struct pv_wish wish;
	u64 virt_base, virt_end; /* the initial mapping */
	struct pv_area kernel, initrd, p2m, start_info, store, console, tables, stack;
	bool initrd_mapped, p2m_mapped_apart;
	u64 entry;
	u64 hypercall_pfn; /* valid when has_hypercall_page */
	bool has_hypercall_page;
	u64 paddr_delta; /* subtract from a segment's paddr: guest address */

	unsigned int nr_ranges;
	struct pv_area range[PV_MAX_RANGES];		      /* what is mapped */
	unsigned int nr_tables[PV_LEVELS + 1];		      /* runs a level, merged */
	struct pv_tables table[PV_LEVELS + 1][PV_MAX_RANGES]; /* [1..4] */
};

/*
 * Lays out a domain. 0, or
 *  -ENOMEM  the memory cannot hold kernel, initrd and tables; *@needed_pages says what could
 *  -EINVAL  the kernel asks for addresses that no guest can have
 */
int must_check pv_layout_plan(struct pv_layout *l, const struct xen_image *image,
			      const struct pv_wish *wish, u64 *needed_pages);

/* The frame of the page table of @level (1-4) that covers @vaddr; false if there is none. */
bool pv_layout_table(const struct pv_layout *l, unsigned int level, u64 vaddr, u64 *pfn);

/*
 * The @idx-th table of the run table[@level][@run], [0, last - first]: its @entries, naming machine
 * frames by @p2m. A page table is never mapped writable.
 */
void pv_layout_fill(const struct pv_layout *l, const u64 *p2m, unsigned int level,
		    unsigned int run, u64 idx, u64 entries[PV_LAYOUT_ENTRIES]);

/* Bits of address below one table of @level: 21, 30, 39, 48. */
static inline unsigned int pv_level_shift(unsigned int level)
{
	return 12 + 9 * level;
}

#endif
