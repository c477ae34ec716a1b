/* SPDX-License-Identifier: MIT */
/* dom0_layout.c - arithmetic of dom0's first memory. */
#include "boot/dom0_layout.h"

#include "lib/errno.h"

#define ENTRIES 512ULL
#define PADDING_PAGES                                                                              \
	(512 * 1024 / PAGE_SIZE) /* ABI: at least 512 KiB after the stack are mapped */
#define MAPPED_ALIGN_PAGES (4 * 1024 * 1024 / PAGE_SIZE) /* ABI: the mapping ends on 4 MiB */
#define UPPER_TABLES 3					 /* L4, L3, L2 */
#define GIB_PAGES (1ULL << (30 - PAGE_SHIFT))

static u64 mapped_end(u64 pt_pfn, u64 nr_pt)
{
	return ALIGN_UP(pt_pfn + nr_pt + 1 + PADDING_PAGES, MAPPED_ALIGN_PAGES);
}

int dom0_layout_compute(struct dom0_layout *l, u64 kernel_end, u64 initrd_len, u64 nr_pages)
{
	u64 nr_pt = UPPER_TABLES + 1;

	if (kernel_end >> PAGE_SHIFT >= GIB_PAGES)
		return -EINVAL;
	l->start_info_pfn = PFN_UP(kernel_end);
	l->pt_pfn = l->start_info_pfn + 1;
	/* the tables map themselves: grow until they suffice */
	while (UPPER_TABLES + (mapped_end(l->pt_pfn, nr_pt) + ENTRIES - 1) / ENTRIES > nr_pt)
		nr_pt++;
	l->nr_pt = nr_pt;
	l->stack_pfn = l->pt_pfn + nr_pt;
	l->mapped_end_pfn = mapped_end(l->pt_pfn, nr_pt);
	if (l->mapped_end_pfn > GIB_PAGES)
		return -EINVAL;
	l->initrd_pfn = l->mapped_end_pfn;
	l->nr_initrd = PFN_UP(initrd_len);
	l->p2m_pfn = l->initrd_pfn + l->nr_initrd;
	l->nr_p2m = PFN_UP(nr_pages * sizeof(u64));
	if (l->nr_p2m > GIB_PAGES)
		return -EINVAL;
	l->p2m_pt_pfn = l->p2m_pfn + l->nr_p2m;
	l->nr_p2m_pt = 2 + (l->nr_p2m + ENTRIES - 1) / ENTRIES;
	l->end_pfn = l->p2m_pt_pfn + l->nr_p2m_pt;
	return l->end_pfn <= nr_pages ? 0 : -ENOMEM;
}
