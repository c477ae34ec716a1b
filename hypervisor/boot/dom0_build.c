/* SPDX-License-Identifier: MIT */
/*
 * dom0_build.c - makes dom0 of the two boot modules: memory, kernel, p2m, page tables, start_info,
 * first vcpu. Fills plain frames through the direct map; the finished tables are then validated
 * like any guest's (pv_vcpu_set_context), no trust involved. What the kernel says and where it all
 * goes: lib/xen_image.h, lib/pv_layout.h. ABI: xen/xen.h struct start_info.
 */
#include <xen/features.h>

#include "boot/boot.h"
#include "domain/domain.h"
#include "domain/memory.h"
#include "hypercall/hypercall.h"
#include "lib/boot_options.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/pv_layout.h"
#include "lib/string.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/acpi.h"
#include "x86/asm.h"
#include "x86/efi.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include "x86/smp.h"

#define DOM0_MIN_PAGES (64UL << (20 - PAGE_SHIFT))
/* Left to the heap when dom0_mem= is not given: for the hypervisor's own needs and the first small
 * guest. */
#define HEAP_RESERVE_PAGES (64UL << (20 - PAGE_SHIFT))

struct builder {
	struct domain *d;
	struct vcpu *v;
	struct xen_image image;
	struct pv_layout layout;
	u64 nr_pages;
	u64 *p2m; /* the builder's own copy */
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

/* Of its p2m, one piece of memory while it is built: 2 TiB of RAM, more only where asked for. */
#define P2M_MAX_PAGES ((PAGE_SIZE << MAX_ORDER) / sizeof(u64))

static u64 wanted_pages(void)
{
	u64 free = page_alloc_free_frames(), want = boot_options.dom0_mem_bytes >> PAGE_SHIFT;

	if (!want) {
		want = free > 2 * HEAP_RESERVE_PAGES ? free - HEAP_RESERVE_PAGES : free / 2;
		want = MIN(want, P2M_MAX_PAGES);
	}
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

static void load_segments(struct builder *b)
{
	const struct elf_image *elf = &b->image.elf;

	for (unsigned int i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *s = &elf->segment[i];
		u64 at = s->paddr - b->layout.paddr_delta;

		copy_in(b, at, elf->bytes + s->file_offset, s->file_size);
		zero_in(b, at + s->file_size, s->mem_size - s->file_size);
	}
}

static void plan(struct builder *b, const struct boot_module *initrd)
{
	struct pv_wish wish = { .nr_pages = b->nr_pages, .initrd_len = initrd->len };
	u64 needed = 0;
	int rc = pv_layout_plan(&b->layout, &b->image, &wish, &needed);

	if (rc == -ENOMEM)
		hv_panic("dom0_mem: %lu MiB hold kernel (%lu MiB) and initrd (%lu MiB) not: at "
			 "least %lu MiB",
			 b->nr_pages >> 8, b->image.end >> 20, initrd->len >> 20,
			 (needed + 255) >> 8);
	if (rc)
		hv_panic("dom0: the kernel asks for addresses that no guest can have");
}

static void read_image(struct builder *b, const void *bytes, size_t len)
{
	const struct xen_image *x = &b->image;
	const char *reason = "";

	if (xen_image_parse(&b->image, bytes, len, &reason))
		hv_panic("dom0: the kernel %s", reason);
	if (x->has_supported_features && !(x->supported_features & 1u << XENFEAT_dom0))
		hv_panic("dom0: the kernel says that it cannot be dom0 (SUPPORTED_FEATURES)");
}

static void load_kernel(struct builder *b, const struct boot_module *kernel,
			const struct boot_module *initrd)
{
	size_t len;
	void *image;
	int order;

	if (kernel_unpack(maddr_to_virt(kernel->start), kernel->len, &image, &len, &order))
		hv_panic("dom0: the kernel module cannot be unpacked");
	read_image(b, image, len);
	create_domain(b);
	give_memory(b);
	plan(b, initrd);
	load_segments(b);
	if (order >= 0)
		kernel_unpack_free(image, order);
}

static void build_tables(const struct builder *b)
{
	const struct pv_layout *l = &b->layout;

	for (unsigned int level = 1; level <= PV_LEVELS; level++)
		for (unsigned int run = 0; run < l->nr_tables[level]; run++) {
			const struct pv_tables *t = &l->table[level][run];

			for (u64 i = 0; i <= t->last - t->first; i++)
				pv_layout_fill(l, b->p2m, level, run, i, pfn_ptr(b, t->pfn + i));
		}
}

/*
 * A kernel looks for ACPI's root pointer below 1 MiB by itself; UEFI firmware has it elsewhere. Its
 * services cannot be called, which is said as well: Linux would take them as there.
 */
static void fill_cmd_line(struct start_info *si, const char *given)
{
	char *line = (char *)si->cmd_line;
	size_t len;

	strlcpy(line, given ? given : "", sizeof(si->cmd_line));
	len = strlen(line);
	if (efi_facts.tables)
		snprintf(line + len, sizeof(si->cmd_line) - len, " acpi_rsdp=0x%lx efi=noruntime",
			 boot_rsdp);
}

static void fill_initrd(struct start_info *si, const struct pv_layout *l)
{
	if (!l->wish.initrd_len)
		return;
	si->mod_len = l->wish.initrd_len;
	si->mod_start = l->initrd_mapped ? l->initrd.vaddr : l->initrd.pfn;
	si->flags |= l->initrd_mapped ? 0 : SIF_MOD_START_PFN;
}

/* The screen as the loader left it, until a driver of dom0's knows better. */
static void fill_console(struct start_info *si, const struct boot_video *video)
{
	struct dom0_vga_console_info *vga = (void *)(si + 1);

	_Static_assert(sizeof(*si) + sizeof(*vga) <= PAGE_SIZE,
		       "start_info and console info share a page");
	si->console.dom0.info_off = sizeof(*si);
	si->console.dom0.info_size = sizeof(*vga);
	if (!video->bits_per_pixel) {
		vga->video_type = XEN_VGATYPE_TEXT_MODE_3;
		vga->u.text_mode_3.font_height = 16;
		vga->u.text_mode_3.rows = 25;
		vga->u.text_mode_3.columns = 80;
		return;
	}
	vga->video_type = efi_facts.tables ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
	vga->u.vesa_lfb.width = video->width;
	vga->u.vesa_lfb.height = video->height;
	vga->u.vesa_lfb.bytes_per_line = video->pitch;
	vga->u.vesa_lfb.bits_per_pixel = video->bits_per_pixel;
	vga->u.vesa_lfb.lfb_base = (u32)video->addr;
	vga->u.vesa_lfb.ext_lfb_base = (u32)(video->addr >> 32);
	vga->u.vesa_lfb.lfb_size = (u32)(((u64)video->pitch * video->height + 0xffff) >> 16);
	memcpy(&vga->u.vesa_lfb.red_pos, video->rgb, sizeof(video->rgb));
}

static void fill_start_info(const struct builder *b, const struct boot_module *kernel,
			    const struct boot_video *video)
{
	const struct pv_layout *l = &b->layout;
	struct start_info *si = pfn_ptr(b, l->start_info.pfn);

	memset(si, 0, PAGE_SIZE);
	snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
	si->nr_pages = b->nr_pages;
	si->shared_info = virt_to_maddr(b->d->shared_info);
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN | SIF_VIRT_P2M_4TOOLS;
	si->pt_base = l->tables.vaddr;
	si->nr_pt_frames = l->tables.nr;
	si->mfn_list = l->p2m.vaddr;
	if (l->p2m_mapped_apart) {
		si->first_p2m_pfn = l->p2m.pfn;
		si->nr_p2m_frames = l->p2m.nr;
	}
	fill_initrd(si, l);
	fill_cmd_line(si, kernel->cmdline);
	fill_console(si, video);
}

/* Kernels that carry the note call through a page; new ones execute syscall themselves. */
static void fill_hypercall_page(const struct builder *b)
{
	if (b->layout.has_hypercall_page)
		hypercall_page_fill(pfn_ptr(b, b->layout.hypercall_pfn));
}

static void give_context(struct builder *b)
{
	const struct pv_layout *l = &b->layout;
	struct vcpu_guest_context *c = xzalloc_obj(struct vcpu_guest_context);
	u64 l4_mfn = b->p2m[l->table[PV_LEVELS][0].pfn];
	struct frame *l4 = mfn_to_frame(_mfn(l4_mfn));
	int rc;

	if (!c)
		hv_panic("dom0: no memory for its first context");
	c->flags = VGCF_in_kernel | VGCF_online;
	c->user_regs.rip = l->entry;
	c->user_regs.rsp = c->kernel_sp = l->stack.vaddr + PAGE_SIZE;
	c->user_regs.rsi = l->start_info.vaddr;
	c->user_regs.rflags = X86_EFLAGS_IF;
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->kernel_ss = FLAT_KERNEL_SS;
	c->ctrlreg[3] = l4_mfn << PAGE_SHIFT;
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

struct vcpu *dom0_build(const struct boot_module *kernel, const struct boot_module *initrd,
			const struct boot_video *video)
{
	static struct builder builder; /* boot CPU only */
	struct builder *b = &builder;
	const struct pv_layout *l = &b->layout;

	load_kernel(b, kernel, initrd);
	copy_in(b, l->initrd.pfn << PAGE_SHIFT, maddr_to_virt(initrd->start), initrd->len);
	copy_in(b, l->p2m.pfn << PAGE_SHIFT, b->p2m, b->nr_pages * sizeof(u64));
	build_tables(b);
	fill_start_info(b, kernel, video);
	fill_hypercall_page(b);
	dom0 = b->d;
	give_context(b);
	xfree(b->p2m);
	log_info("dom0: %lu MiB, %s kernel at %lx, entry %lx", b->nr_pages >> 8,
		 b->image.guest_os[0] ? b->image.guest_os : "a", (unsigned long)l->virt_base,
		 (unsigned long)l->entry);
	return b->v;
}
