/* SPDX-License-Identifier: MIT */
/*
 * dom0_build.c - makes dom0 of the two boot modules: memory, kernel, p2m, page tables, start_info,
 * first vcpu. Fills plain frames through the direct map; the finished tables are then validated
 * like any guest's (pv_vcpu_set_context), no trust involved. ABI: xen/xen.h struct start_info; ELF
 * notes of the kernel.
 */
#include "boot/boot.h"
#include "boot/dom0_layout.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "pv/pte.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/layout.h"
#include "x86/smp.h"

#define DOM0_MIN_PAGES (64UL << (20 - PAGE_SHIFT))
/* Left to the heap when dom0_mem= is not given: for the hypervisor's own needs and the first small
 * guest. */
#define HEAP_RESERVE_PAGES (64UL << (20 - PAGE_SHIFT))
#define LOW_MEMORY (1UL << 20)
#define TABLE_FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define PAGE_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D)

struct builder {
	struct domain *d;
	struct vcpu *v;
	struct elf_image elf;
	struct dom0_layout layout;
	u64 nr_pages;
	u64 *p2m; /* the builder's own copy */
	u64 virt_base;
};

static void *pfn_ptr(const struct builder *b, u64 pfn)
{
	return mfn_to_virt(_mfn(b->p2m[pfn]));
}

/* Copies into pseudo-physical memory, page by page: frames need not be contiguous. */
static void copy_in(const struct builder *b, u64 paddr, const void *src, size_t len)
{
	const u8 *from = src;

	while (len) {
		size_t offset = paddr & PAGE_OFFSET_MASK, n = MIN(len, PAGE_SIZE - offset);

		memcpy((u8 *)pfn_ptr(b, paddr >> PAGE_SHIFT) + offset, from, n);
		paddr += n;
		from += n;
		len -= n;
	}
}

static void zero_in(const struct builder *b, u64 paddr, size_t len)
{
	while (len) {
		size_t offset = paddr & PAGE_OFFSET_MASK, n = MIN(len, PAGE_SIZE - offset);

		memset((u8 *)pfn_ptr(b, paddr >> PAGE_SHIFT) + offset, 0, n);
		paddr += n;
		len -= n;
	}
}

static u64 wanted_pages(void)
{
	u64 free = page_alloc_free_frames(), want = boot_options.dom0_mem_bytes >> PAGE_SHIFT;

	if (!want)
		want = free > 2 * HEAP_RESERVE_PAGES ? free - HEAP_RESERVE_PAGES : free / 2;
	if (want < DOM0_MIN_PAGES)
		hv_panic("dom0_mem: %lu MiB are too little for dom0, at least %lu MiB", want >> 8,
			 DOM0_MIN_PAGES >> 8);
	if (want > free)
		hv_panic("dom0_mem: %lu MiB asked for, %lu MiB free: lower dom0_mem=", want >> 8,
			 free >> 8);
	return want;
}

static void create_domain(struct builder *b)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = boot_options.dom0_max_vcpus ? boot_options.dom0_max_vcpus
							: smp_nr_cpus(),
		.max_evtchn_port = ~0u,
		.max_grant_frames = 64,
		.max_maptrack_frames = 1024,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
	};

	config.max_vcpus = MIN(config.max_vcpus, (u32)DOMAIN_MAX_VCPUS);
	if (domain_create(0, &config, &b->d))
		hv_panic("dom0: cannot be created");
	for (unsigned int i = 0; i < config.max_vcpus; i++)
		if (vcpu_create(b->d, i))
			hv_panic("dom0: vcpu %u cannot be created", i);
	b->v = b->d->vcpu[0];
}

static void give_memory(struct builder *b)
{
	unsigned int order = MAX_ORDER;
	u64 pfn = 0;

	b->nr_pages = wanted_pages();
	b->p2m = xzalloc(b->nr_pages * sizeof(u64));
	if (!b->p2m)
		hv_panic("dom0: no memory for its p2m");
	b->nr_pages = MIN(b->nr_pages, page_alloc_free_frames());
	b->d->max_pages = b->nr_pages;
	while (pfn < b->nr_pages) {
		struct frame *f;

		while ((1ULL << order) > b->nr_pages - pfn)
			order--;
		if (domain_frames_alloc(b->d, order, 0, &f)) {
			if (order-- == 0)
				hv_panic("dom0: out of memory after %lu MiB", pfn >> 8);
			continue;
		}
		for (u64 i = 0; i < (1ULL << order); i++, pfn++) {
			b->p2m[pfn] = mfn_x(frame_to_mfn(f)) + i;
			m2p_set(_mfn(b->p2m[pfn]), pfn);
		}
	}
}

static void load_kernel(struct builder *b, const struct boot_module *kernel)
{
	const char *reason = "not an ELF image";
	size_t len;
	void *image;
	int order;

	if (kernel_unpack(maddr_to_virt(kernel->start), kernel->len, &image, &len, &order))
		hv_panic("dom0: the kernel module cannot be unpacked");
	if (elf_parse(&b->elf, image, len, &reason))
		hv_panic("dom0: kernel: %s", reason);
	if (!b->elf.has_xen_notes || !b->elf.has_entry)
		hv_panic("dom0: the kernel was not built to run on Xen (no Xen notes)");
	if (!b->elf.has_init_p2m)
		hv_panic("dom0: the kernel has no INIT_P2M note");
	b->virt_base = b->elf.virt_base;
	create_domain(b);
	give_memory(b);
	if (b->elf.paddr_end >> PAGE_SHIFT >= b->nr_pages)
		hv_panic("dom0_mem: the kernel needs memory up to %lu MiB", b->elf.paddr_end >> 20);
	for (unsigned int i = 0; i < b->elf.nr_segments; i++) {
		const struct elf_segment *s = &b->elf.segment[i];

		copy_in(b, s->paddr, b->elf.bytes + s->file_offset, s->file_size);
		zero_in(b, s->paddr + s->file_size, s->mem_size - s->file_size);
	}
	if (order >= 0)
		kernel_unpack_free(image, order);
}

static u64 table_entry(const struct builder *b, u64 pfn)
{
	return pte_make(_mfn(b->p2m[pfn]), TABLE_FLAGS);
}

/* Page-table frames themselves are mapped read-only: the guest changes them by hypercall. */
static u64 page_entry(const struct builder *b, u64 pfn)
{
	const struct dom0_layout *l = &b->layout;
	bool is_table = pfn >= l->pt_pfn && pfn < l->pt_pfn + l->nr_pt;

	return pte_make(_mfn(b->p2m[pfn]), is_table ? PAGE_FLAGS & ~PTE_RW : PAGE_FLAGS);
}

/* [first, first + nr) at @va, below the L3 table @l3_pfn; one L2 at @l2_pfn, L1s right after it. */
static void map_range(const struct builder *b, u64 va, u64 first, u64 nr, u64 l3_pfn, u64 l2_pfn)
{
	u64 *l2 = pfn_ptr(b, l2_pfn);

	((u64 *)pfn_ptr(b, l3_pfn))[pt_index(va, 3)] = table_entry(b, l2_pfn);
	for (u64 i = 0; i < nr; i++, va += PAGE_SIZE) {
		u64 l1_pfn = l2_pfn + 1 + i / PT_ENTRIES;

		l2[pt_index(va, 2)] = table_entry(b, l1_pfn);
		((u64 *)pfn_ptr(b, l1_pfn))[pt_index(va, 1)] = page_entry(b, first + i);
	}
}

static void build_tables(const struct builder *b)
{
	const struct dom0_layout *l = &b->layout;
	u64 *l4 = pfn_ptr(b, l->pt_pfn), l3 = l->pt_pfn + 1;

	zero_in(b, l->pt_pfn << PAGE_SHIFT, l->nr_pt << PAGE_SHIFT);
	zero_in(b, l->p2m_pt_pfn << PAGE_SHIFT, l->nr_p2m_pt << PAGE_SHIFT);
	l4[pt_index(b->virt_base, 4)] = table_entry(b, l3);
	map_range(b, b->virt_base, 0, l->mapped_end_pfn, l3, l3 + 1);
	l4[pt_index(b->elf.init_p2m, 4)] = table_entry(b, l->p2m_pt_pfn);
	map_range(b, b->elf.init_p2m, l->p2m_pfn, l->nr_p2m, l->p2m_pt_pfn, l->p2m_pt_pfn + 1);
}

static u64 pfn_to_va(const struct builder *b, u64 pfn)
{
	return b->virt_base + (pfn << PAGE_SHIFT);
}

/* A kernel looks for ACPI's root pointer below 1 MiB by itself; UEFI firmware has it elsewhere. */
static void fill_cmd_line(struct start_info *si, const char *given)
{
	char *line = (char *)si->cmd_line;
	size_t len;

	strlcpy(line, given ? given : "", sizeof(si->cmd_line));
	len = strlen(line);
	if (boot_rsdp >= LOW_MEMORY)
		snprintf(line + len, sizeof(si->cmd_line) - len, " acpi_rsdp=0x%lx", boot_rsdp);
}

static void fill_start_info(const struct builder *b, const struct boot_module *kernel,
			    const struct boot_module *initrd)
{
	const struct dom0_layout *l = &b->layout;
	struct start_info *si = pfn_ptr(b, l->start_info_pfn);
	struct dom0_vga_console_info *vga = (void *)(si + 1);

	_Static_assert(sizeof(*si) + sizeof(*vga) <= PAGE_SIZE,
		       "start_info and console info share a page");
	memset(si, 0, PAGE_SIZE);
	snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
	si->nr_pages = b->nr_pages;
	si->shared_info = virt_to_maddr(b->d->shared_info);
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN | SIF_VIRT_P2M_4TOOLS;
	si->pt_base = pfn_to_va(b, l->pt_pfn);
	si->nr_pt_frames = l->nr_pt;
	si->mfn_list = b->elf.init_p2m;
	si->first_p2m_pfn = l->p2m_pfn;
	si->nr_p2m_frames = l->nr_p2m + l->nr_p2m_pt;
	if (initrd->len) {
		si->flags |= SIF_MOD_START_PFN;
		si->mod_start = l->initrd_pfn;
		si->mod_len = initrd->len;
	}
	fill_cmd_line(si, kernel->cmdline);
	vga->video_type = XEN_VGATYPE_TEXT_MODE_3;
	vga->u.text_mode_3.font_height = 16;
	vga->u.text_mode_3.rows = 25;
	vga->u.text_mode_3.columns = 80;
	si->console.dom0.info_off = sizeof(*si);
	si->console.dom0.info_size = sizeof(*vga);
}

/* Kernels that carry the note call through a page; new ones execute syscall themselves. */
static void fill_hypercall_page(const struct builder *b)
{
	u64 pfn = (b->elf.hypercall_page - b->virt_base) >> PAGE_SHIFT;

	if (!b->elf.has_hypercall_page)
		return;
	if (pfn >= b->layout.start_info_pfn)
		hv_panic("dom0: kernel: its hypercall page lies outside the image");
	hypercall_page_fill(pfn_ptr(b, pfn));
}

static void give_context(struct builder *b)
{
	const struct dom0_layout *l = &b->layout;
	struct vcpu_guest_context *c = xzalloc_obj(struct vcpu_guest_context);
	struct frame *l4 = mfn_to_frame(_mfn(b->p2m[l->pt_pfn]));
	int rc;

	if (!c)
		hv_panic("dom0: no memory for its first context");
	c->flags = VGCF_in_kernel | VGCF_online;
	c->user_regs.rip = b->elf.note_entry;
	c->user_regs.rsp = c->kernel_sp = pfn_to_va(b, l->stack_pfn) + PAGE_SIZE;
	c->user_regs.rsi = pfn_to_va(b, l->start_info_pfn);
	c->user_regs.rflags = X86_EFLAGS_IF;
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->kernel_ss = FLAT_KERNEL_SS;
	c->ctrlreg[3] = b->p2m[l->pt_pfn] << PAGE_SHIFT;
	do {
		rc = pv_vcpu_set_context(b->v, c);
	} while (rc == -ERESTART);
	if (rc)
		hv_panic("dom0: its first page tables are refused: %d", rc);
	xfree(c);
	/* The ABI hands the first L4 over pinned: kernels unpin it once they have their own. */
	if (frame_get_and_type(l4, b->d, FT_L4))
		hv_panic("dom0: its first page table cannot be pinned");
	l4->type |= FT_PINNED;
	b->v->vcpu_info->evtchn_upcall_mask = 1;
}

struct vcpu *dom0_build(const struct boot_module *kernel, const struct boot_module *initrd)
{
	static struct builder builder; /* boot CPU only */
	struct builder *b = &builder;
	const struct dom0_layout *l = &b->layout;

	load_kernel(b, kernel);
	if (dom0_layout_compute(&b->layout, b->elf.paddr_end, initrd->len, b->nr_pages))
		hv_panic("dom0_mem: %lu MiB hold kernel (%lu MiB) and initrd (%lu MiB) not: raise "
			 "dom0_mem=",
			 b->nr_pages >> 8, b->elf.paddr_end >> 20, initrd->len >> 20);
	copy_in(b, l->initrd_pfn << PAGE_SHIFT, maddr_to_virt(initrd->start), initrd->len);
	copy_in(b, l->p2m_pfn << PAGE_SHIFT, b->p2m, b->nr_pages * sizeof(u64));
	build_tables(b);
	fill_start_info(b, kernel, initrd);
	fill_hypercall_page(b);
	dom0 = b->d;
	give_context(b);
	xfree(b->p2m);
	log_info("dom0: %lu MiB, %s kernel at %lx, entry %lx", b->nr_pages >> 8, b->elf.guest_os,
		 (unsigned long)b->virt_base, (unsigned long)b->elf.note_entry);
	return b->v;
}
