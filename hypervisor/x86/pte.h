/* SPDX-License-Identifier: MIT */
/*
 * pte.h - bits of an x86-64 page-table entry, and the two the hypervisor keeps among the available
 * ones.
 */
#ifndef HV_X86_PTE_H
#define HV_X86_PTE_H

#include "lib/types.h"

#define PTE_P (1ULL << 0)
#define PTE_RW (1ULL << 1)
#define PTE_US (1ULL << 2)
#define PTE_PWT (1ULL << 3)
#define PTE_PCD (1ULL << 4)
#define PTE_A (1ULL << 5)
#define PTE_D (1ULL << 6)
#define PTE_PS (1ULL << 7)  /* levels 2..4 */
#define PTE_PAT (1ULL << 7) /* level 1 */
#define PTE_G (1ULL << 8)
#define PTE_AVL_LOW (7ULL << 9)
/* US was added by the hypervisor: the guest meant a kernel page */
#define PTE_GUEST_KERNEL (1ULL << 52)
/* written by the grant code: it holds the references, not the entry */
#define PTE_GRANT (1ULL << 62)
#define PTE_AVL_HIGH (0x7ffULL << 52)
#define PTE_NX (1ULL << 63)
#define PTE_ADDR_MASK 0x000ffffffffff000ULL
#define PTE_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)

#define PT_ENTRIES 512

static inline mfn_t pte_mfn(u64 pte)
{
	return _mfn((pte & PTE_ADDR_MASK) >> PAGE_SHIFT);
}

static inline u64 pte_make(mfn_t mfn, u64 flags)
{
	return mfn_to_maddr(mfn) | flags;
}

/* Index of @va in a table of @level (1..4). */
static inline unsigned int pt_index(u64 va, unsigned int level)
{
	return (va >> (PAGE_SHIFT + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

#endif
