/* SPDX-License-Identifier: MIT */
/*
 * mm.h - the guest's own memory: frames, numbers, page tables.
 *
 * Every frame from 0 to the end of the first mapping is mapped at VIRT_BASE + pfn * 4096. Page
 * tables are read-only there, as the ABI demands, and change by hypercall only.
 */
#ifndef KIT_MM_H
#define KIT_MM_H

#include "guest/guest.h"

#define PTE_P 0x001UL
#define PTE_RW 0x002UL
#define PTE_US 0x004UL
#define PTE_PWT 0x008UL
#define PTE_PCD 0x010UL
#define PTE_A 0x020UL
#define PTE_D 0x040UL
#define PTE_PS 0x080UL
#define PTE_G 0x100UL
#define PTE_NX (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL
#define PTE_DATA (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define PTE_RO (PTE_P | PTE_US | PTE_A)
#define PTE_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A)

void mm_init(void);

/* One zeroed page of the first mapping; never NULL (a guest without memory panics). */
void *page_alloc(void);
/* @page must be mapped read-write again. */
void page_free(void *page);
/* Pages still to be had. */
unsigned int pages_left(void);

u64 virt_to_pfn(const void *va);
/* Of the frame that the first mapping shows there, by the p2m table. */
u64 virt_to_mfn(const void *va);
u64 pfn_to_mfn(u64 pfn);
/* By the machine-to-physical table: only for the guest's own frames. */
u64 mfn_to_pfn(u64 mfn);
void *mfn_to_virt(u64 mfn);
/* After a frame was exchanged or given away. */
void p2m_set(u64 pfn, u64 mfn);

/* The entry of @level (1-4) that decides about @va; NULL where a table above is missing. */
const u64 *pte_find(const void *va, unsigned int level);
/* Machine address of that entry, for mmu_update; 0: missing. */
u64 pte_maddr(const void *va, unsigned int level);
/* The top-level table in use. */
u64 *pt_base(void);

/* update_va_mapping with the flush; its result. */
long map_page(const void *va, u64 pte);
/* The page's mapping read-only, or read-write again; its result. */
long page_readonly(void *page);
long page_writable(void *page);

/*
 * Page-table pages for @va from level 3 down in the current tables where they are missing. 0 or
 * the errno of the hypercall that failed.
 */
long tables_make(const void *va);

static inline u64 pte_make(u64 mfn, u64 flags)
{
	return mfn << PAGE_SHIFT | flags;
}

#endif
