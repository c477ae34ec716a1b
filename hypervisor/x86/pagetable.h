/* SPDX-License-Identifier: MIT */
/* pagetable.h - the hypervisor's own page tables (pagetable.c). */
#ifndef HV_X86_PAGETABLE_H
#define HV_X86_PAGETABLE_H

#include "lib/types.h"

/* L4 entries 256..271 common to every page table (per-domain slot empty). */
extern u64 *hv_l4;
/* Boot: the final ones, W^X; needs e820, pt_set_pages(). */
void pagetable_init(void);
/*
 * Uncached; page granular; never unmapped. NULL: no addresses, or no memory for a table, are left.
 */
void *ioremap(maddr_t ma, size_t len);
/* Where tables come from: a page in the direct map, NULL when there is none. */
void pt_set_pages(void *(*new_page)(void));
/* One of those, zeroed. NULL: the heap is empty; not while the machine boots. */
void *pt_page(void);
/* @flags: PTE_* of pte.h; present always, levels are chosen by alignment. */
void pt_map(unsigned long va, maddr_t ma, u64 len, u64 flags);
/*
 * The same in another level-4 table than the hypervisor's own. False: no memory for a table; what
 * was mapped until then stays.
 */
bool pt_map_in(u64 *l4, unsigned long va, maddr_t ma, u64 len, u64 flags);
/*
 * Boot list, once every mapping is made: stops the machine when a page of the hypervisor's own
 * tables can be written and executed, its code or constants can be written by any address, or the
 * CPU does not look at those rights.
 */
void pt_check_rights(void);
/* Where the hypervisor's 4 KiB page at @va is. False: none, or a larger one. */
bool pt_lookup(unsigned long va, maddr_t *ma);

#endif
