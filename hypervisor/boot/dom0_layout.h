/* SPDX-License-Identifier: MIT */
/*
 * dom0_layout.h - where everything of dom0's first memory goes, in pseudo-physical frames. Pure
 * arithmetic, so that it is tested on the host.
 *
 *   0 .. kernel .. | start_info | page tables | stack | padding | initrd (unmapped) | p2m | tables
 * of the p2m
 *   <---------------- mapped at virt_base -----------------------><---- p2m is mapped at INIT_P2M
 * ---->
 */
#ifndef HV_BOOT_DOM0_LAYOUT_H
#define HV_BOOT_DOM0_LAYOUT_H

#include "lib/types.h"

struct dom0_layout {
	u64 start_info_pfn;
	u64 pt_pfn, nr_pt; /* L4, L3, L2, then the L1s */
	u64 stack_pfn;
	u64 mapped_end_pfn; /* [0, here) is mapped at virt_base */
	u64 initrd_pfn, nr_initrd;
	u64 p2m_pfn, nr_p2m;
	u64 p2m_pt_pfn, nr_p2m_pt; /* L3, L2, then the L1s */
	u64 end_pfn;
};

/*
 * @kernel_end: first byte after the kernel's load addresses. @initrd_len: bytes. @nr_pages: of the
 * domain. 0; -EINVAL when a region does not fit one level-2 table (1 GiB); -ENOMEM when the domain
 * is too small.
 */
int dom0_layout_compute(struct dom0_layout *l, u64 kernel_end, u64 initrd_len, u64 nr_pages);

#endif
