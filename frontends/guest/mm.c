/* SPDX-License-Identifier: MIT */
/*
 * mm.c - frames and page tables of the guest itself. Source of the layout: xen/xen.h, "Start-of-day
 * memory layout".
 */
#include "guest/mm.h"

#include "guest/hypercall.h"

#define ENTRIES 512

struct free_page {
	struct free_page *next;
};

static struct free_page *free_list;
static u64 next_va, end_va; /* never given out yet */

u64 virt_to_pfn(const void *va)
{
	return ((u64)va - VIRT_BASE) >> PAGE_SHIFT;
}

u64 pfn_to_mfn(u64 pfn)
{
	return ((u64 *)start_info->mfn_list)[pfn];
}

u64 virt_to_mfn(const void *va)
{
	return pfn_to_mfn(virt_to_pfn(va));
}

u64 mfn_to_pfn(u64 mfn)
{
	return machine_to_phys_mapping[mfn];
}

void *mfn_to_virt(u64 mfn)
{
	return (void *)(VIRT_BASE + (mfn_to_pfn(mfn) << PAGE_SHIFT));
}

void p2m_set(u64 pfn, u64 mfn)
{
	((u64 *)start_info->mfn_list)[pfn] = mfn;
}

u64 *pt_base(void)
{
	return (u64 *)start_info->pt_base;
}

const u64 *pte_find(const void *va, unsigned int level)
{
	const u64 *table = pt_base();

	for (unsigned int l = 4;; l--) {
		const u64 *entry = table + ((u64)va >> (3 + 9 * l) & (ENTRIES - 1));

		if (l == level)
			return entry;
		if (!(*entry & PTE_P))
			return NULL;
		table = mfn_to_virt((*entry & PTE_ADDR) >> PAGE_SHIFT);
	}
}

u64 pte_maddr(const void *va, unsigned int level)
{
	const u64 *entry = pte_find(va, level);

	return entry ? virt_to_mfn(entry) << PAGE_SHIFT | ((u64)entry & PAGE_OFFSET_MASK) : 0;
}

/* The boot stack is the last thing the loader placed, right behind the page tables. */
static u64 loader_end(void)
{
	u64 tables = start_info->pt_base + start_info->nr_pt_frames * PAGE_SIZE;

	return MAX(tables, (u64)start_info + PAGE_SIZE) + PAGE_SIZE;
}

void mm_init(void)
{
	next_va = MAX(loader_end(), (u64)guest_image_end);
	for (end_va = next_va; end_va - VIRT_BASE < start_info->nr_pages << PAGE_SHIFT;
	     end_va += PAGE_SIZE) {
		const u64 *entry = pte_find((void *)end_va, 1);

		if (!entry || !(*entry & PTE_P))
			break;
	}
}

void *page_alloc(void)
{
	void *page = free_list;

	if (page) {
		free_list = free_list->next;
	} else {
		if (next_va == end_va)
			guest_panic("out of memory");
		page = (void *)next_va;
		next_va += PAGE_SIZE;
	}
	return memset(page, 0, PAGE_SIZE);
}

void page_free(void *page)
{
	struct free_page *f = page;

	f->next = free_list;
	free_list = f;
}

unsigned int pages_left(void)
{
	unsigned int n = (unsigned int)((end_va - next_va) >> PAGE_SHIFT);

	for (const struct free_page *f = free_list; f; f = f->next)
		n++;
	return n;
}

long map_page(const void *va, u64 pte)
{
	return hc_update_va(va, pte, UVMF_INVLPG | UVMF_ALL);
}

long page_readonly(void *page)
{
	return map_page(page, pte_make(virt_to_mfn(page), PTE_RO));
}

long page_writable(void *page)
{
	return map_page(page, pte_make(virt_to_mfn(page), PTE_DATA));
}

long tables_make(const void *va)
{
	for (unsigned int level = 4; level > 1; level--) {
		void *table;
		long rc;

		if (*pte_find(va, level) & PTE_P)
			continue;
		table = page_alloc();
		rc = page_readonly(table);
		if (!rc)
			rc = hc_mmu_update(pte_maddr(va, level),
					   pte_make(virt_to_mfn(table), PTE_TABLE));
		if (rc)
			return rc;
	}
	return 0;
}
