/* SPDX-License-Identifier: MIT */
/* image.c - see image.h. Source: xen/xen.h, "Start-of-day memory layout"; xen/elfnote.h. */
#include "image.h"

#define CPIO_MAGIC "070701" /* of the module that dom0's loader gives */
#define CALL_SIZE 32	    /* of one entry of the hypercall page */
#define PADDING (512UL << 10)

static u64 mapped_end(void)
{
	u64 va = VIRT_BASE;
	const u64 *entry;

	while ((entry = pte_find((void *)va, 1)) && (*entry & PTE_P))
		va += PAGE_SIZE;
	return va;
}

static bool is_table(u64 va)
{
	return va >= start_info->pt_base &&
	       va < start_info->pt_base + start_info->nr_pt_frames * PAGE_SIZE;
}

/* Frame n at VIRT_BASE + n, but for the place start.c gave the shared page. */
static void check_mapping(u64 end)
{
	for (u64 va = VIRT_BASE; va < end; va += PAGE_SIZE) {
		u64 entry = *pte_find((void *)va, 1);

		if (va == (u64)shared_info)
			continue;
		check_is((entry & PTE_ADDR) >> PAGE_SHIFT, virt_to_mfn((void *)va));
		check_is(!!(entry & PTE_RW), !is_table(va));
	}
}

/* Returns where what lies behind it may begin. */
static u64 check_module(u64 end)
{
	if (guest_is_dom0())
		check(start_info->mod_len > 0);
	if (!start_info->mod_len)
		return (u64)guest_image_end;
	check(!(start_info->flags & SIF_MOD_START_PFN));
	check(start_info->mod_start >= (u64)guest_image_end);
	check(start_info->mod_start + start_info->mod_len <= end);
	if (guest_is_dom0())
		check(!memcmp((void *)start_info->mod_start, CPIO_MAGIC, sizeof(CPIO_MAGIC) - 1));
	return start_info->mod_start + start_info->mod_len;
}

static long version_by_page(void)
{
	register u64 nr __asm__("rax");
	register u64 cmd __asm__("rdi") = XENVER_version;
	register u64 arg __asm__("rsi") = 0;

	__asm__ volatile("call *%3"
			 : "=a"(nr), "+r"(cmd), "+r"(arg)
			 : "r"(hypercall_page + __HYPERVISOR_xen_version * CALL_SIZE)
			 : "rcx", "r11", "memory");
	return (long)nr;
}

void image_check(bool wants_page)
{
	u64 end = mapped_end(), behind = check_module(end);
	u64 p2m_end = start_info->mfn_list + start_info->nr_pages * sizeof(u64);

	check(start_info->mfn_list >= behind);
	check(start_info->mfn_list - behind < PAGE_SIZE);
	check(p2m_end <= (u64)start_info);
	check_is(start_info->nr_p2m_frames, 0);
	check(start_info->pt_base > (u64)start_info);
	check(end - start_info->pt_base - start_info->nr_pt_frames * PAGE_SIZE >= PADDING);
	check_mapping(end);
	if (wants_page)
		check(version_by_page() >= 4 << 16);
	else
		for (unsigned int i = 0; i < PAGE_SIZE; i++)
			check_is(hypercall_page[i], 0);
}
