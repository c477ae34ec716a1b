/* SPDX-License-Identifier: MIT */
/*
 * pv_image.c - contents of a PV guest's first pages.
 *
 * Owns: kernel and initrd bytes, p2m list, page tables, start_info, first register state.
 * Not: where they are (pv_layout.c), how frames are reached (guest_ram.h).
 * A page-table page must never be mapped writable: its own L1 entries are read-only, or the
 * hypervisor refuses to pin the tables. Source: xen/xen.h, xen/arch-x86/xen-x86_64.h.
 */
#include "pv_image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#define PTE_PRESENT 0x001ULL
#define PTE_RW 0x002ULL
#define PTE_USER 0x004ULL
#define PTE_ACCESSED 0x020ULL
#define PTE_DIRTY 0x040ULL
#define ENTRIES 512u

int pv_image_load_kernel(const struct pv_layout *l, const struct elf64 *elf, struct guest_ram *ram)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < elf->nr_segments; i++) {
		const struct elf64_segment *s = &elf->segment[i];
		uint64_t at = s->paddr - l->paddr_delta;

		err = guest_ram_write(ram, at, elf->image + s->offset, s->filesz);
		if (!err)
			err = guest_ram_zero(ram, at + s->filesz, s->memsz - s->filesz);
	}
	return err;
}

int pv_image_load_initrd(const struct pv_layout *l, const void *initrd, struct guest_ram *ram)
{
	return guest_ram_write(ram, l->initrd.pfn * GUEST_PAGE_SIZE, initrd, l->initrd_len);
}

int pv_image_write_p2m(const struct pv_layout *l, struct guest_ram *ram)
{
	/* The last frame's tail stays as the hypervisor gave it: scrubbed. */
	return guest_ram_write(ram, l->p2m.pfn * GUEST_PAGE_SIZE, ram->p2m,
			       l->nr_pages * sizeof(ram->p2m[0]));
}

static bool is_table(const struct pv_layout *l, uint64_t pfn)
{
	return pfn >= l->tables.pfn && pfn < l->tables.pfn + l->tables.nr;
}

/* The frame that @vaddr shall show; false when it is not mapped. */
static bool target_of(const struct pv_layout *l, uint64_t vaddr, uint64_t *pfn)
{
	for (unsigned int i = 0; i < l->nr_ranges; i++) {
		const struct pv_area *r = &l->range[i];

		if (vaddr >= r->vaddr && vaddr - r->vaddr < r->nr * GUEST_PAGE_SIZE) {
			*pfn = r->pfn + (vaddr - r->vaddr) / GUEST_PAGE_SIZE;
			return true;
		}
	}
	return false;
}

static uint64_t entry_for(const struct pv_layout *l, const uint64_t *p2m, unsigned int level,
			  uint64_t vaddr)
{
	uint64_t pfn;

	if (level > 1) {
		if (!pv_layout_table(l, level - 1, vaddr, &pfn))
			return 0;
		return p2m[pfn] << 12 | PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED;
	}
	if (!target_of(l, vaddr, &pfn))
		return 0;
	return p2m[pfn] << 12 | PTE_PRESENT | PTE_ACCESSED |
	       (is_table(l, pfn) ? 0 : PTE_RW | PTE_DIRTY);
}

static uint64_t sign_extend(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16);
}

static void fill_table(const struct pv_layout *l, const uint64_t *p2m, unsigned int level,
		       uint64_t idx, uint64_t *table)
{
	uint64_t base = idx << pv_level_shift(level);

	for (unsigned int e = 0; e < ENTRIES; e++) {
		uint64_t va = base + ((uint64_t)e << (pv_level_shift(level) - 9));

		table[e] = entry_for(l, p2m, level, sign_extend(va));
	}
}

static int write_run(const struct pv_layout *l, struct guest_ram *ram, unsigned int level,
		     const struct pv_tables *t)
{
	for (uint64_t idx = t->first; idx <= t->last; idx++) {
		uint64_t table[ENTRIES];
		int err;

		fill_table(l, ram->p2m, level, idx, table);
		err = guest_ram_write(ram, (t->pfn + idx - t->first) * GUEST_PAGE_SIZE, table,
				      sizeof(table));
		if (err)
			return err;
	}
	return 0;
}

int pv_image_write_tables(const struct pv_layout *l, struct guest_ram *ram)
{
	for (unsigned int level = 1; level <= PV_LEVELS; level++) {
		for (unsigned int i = 0; i < l->nr_tables[level]; i++) {
			int err = write_run(l, ram, level, &l->table[level][i]);

			if (err)
				return err;
		}
	}
	return 0;
}

int pv_image_write_start_info(const struct pv_layout *l, const struct pv_start *start,
			      struct guest_ram *ram)
{
	struct start_info si = { 0 };
	int err;

	snprintf(si.magic, sizeof(si.magic), "xen-3.0-x86_64");
	si.nr_pages = l->nr_pages;
	si.shared_info = start->shared_info_mfn << 12;
	si.flags = SIF_VIRT_P2M_4TOOLS;
	si.store_mfn = ram->p2m[l->store.pfn];
	si.store_evtchn = start->store_port;
	si.console.domU.mfn = ram->p2m[l->console.pfn];
	si.console.domU.evtchn = start->console_port;
	si.pt_base = l->tables.vaddr;
	si.nr_pt_frames = l->tables.nr;
	si.mfn_list = l->p2m.vaddr;
	if (l->p2m_mapped_apart) {
		si.first_p2m_pfn = l->p2m.pfn;
		si.nr_p2m_frames = l->p2m.nr;
	}
	if (l->initrd_len) {
		si.mod_len = l->initrd_len;
		si.mod_start = l->initrd_mapped ? l->initrd.vaddr : l->initrd.pfn;
		si.flags |= l->initrd_mapped ? 0 : SIF_MOD_START_PFN;
	}
	snprintf((char *)si.cmd_line, sizeof(si.cmd_line), "%s", start->cmdline);

	err = guest_ram_zero(ram, l->start_info.pfn * GUEST_PAGE_SIZE, 3 * GUEST_PAGE_SIZE);
	if (!err)
		err = guest_ram_zero(ram, l->stack.pfn * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE);
	if (!err)
		err = guest_ram_write(ram, l->start_info.pfn * GUEST_PAGE_SIZE, &si, sizeof(si));
	return err;
}

void pv_image_vcpu(const struct pv_layout *l, const uint64_t *p2m, struct vcpu_guest_context *ctx)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->flags = VGCF_in_kernel | VGCF_online;
	ctx->user_regs.rip = l->entry;
	ctx->user_regs.rsp = l->stack.vaddr + l->stack.nr * GUEST_PAGE_SIZE;
	ctx->user_regs.rsi = l->start_info.vaddr;
	ctx->user_regs.rflags = 1 << 9;
	ctx->user_regs.cs = FLAT_KERNEL_CS;
	ctx->user_regs.ds = FLAT_KERNEL_DS;
	ctx->user_regs.es = FLAT_KERNEL_DS;
	ctx->user_regs.fs = FLAT_KERNEL_DS;
	ctx->user_regs.gs = FLAT_KERNEL_DS;
	ctx->user_regs.ss = FLAT_KERNEL_SS;
	ctx->kernel_ss = ctx->user_regs.ss;
	ctx->kernel_sp = ctx->user_regs.rsp;
	ctx->ctrlreg[3] = xen_pfn_to_cr3(p2m[l->tables.pfn]);
}
