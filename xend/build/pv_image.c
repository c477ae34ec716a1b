/* SPDX-License-Identifier: MIT */
/*
 * pv_image.c - contents of a PV guest's first pages.
 *
 * Owns: kernel and initrd bytes, p2m list, start_info, first register state. Not: where they are,
 * and the page tables (lib/pv_layout.h), how frames are reached (guest_ram.h).
 * Source: xen/xen.h, xen/arch-x86/xen-x86_64.h.
 */
#include "pv_image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

int pv_image_load_kernel(const struct pv_layout *l, const struct elf_image *elf,
			 struct guest_ram *ram)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < elf->nr_segments; i++) {
		const struct elf_segment *s = &elf->segment[i];
		uint64_t at = s->paddr - l->paddr_delta;

		err = guest_ram_write(ram, at, elf->bytes + s->file_offset, s->file_size);
		if (!err)
			err = guest_ram_zero(ram, at + s->file_size, s->mem_size - s->file_size);
	}
	return err;
}

int pv_image_load_initrd(const struct pv_layout *l, uint64_t at, const void *data, size_t len,
			 struct guest_ram *ram)
{
	if (at > l->wish.initrd_len || len > l->wish.initrd_len - at)
		return -ERANGE;
	return guest_ram_write(ram, l->initrd.pfn * GUEST_PAGE_SIZE + at, data, len);
}

int pv_image_write_p2m(const struct pv_layout *l, struct guest_ram *ram)
{
	/* The last frame's tail stays as the hypervisor gave it: scrubbed. */
	return guest_ram_write(ram, l->p2m.pfn * GUEST_PAGE_SIZE, ram->p2m,
			       l->wish.nr_pages * sizeof(ram->p2m[0]));
}

static int write_run(const struct pv_layout *l, struct guest_ram *ram, unsigned int level,
		     unsigned int run)
{
	const struct pv_tables *t = &l->table[level][run];

	for (uint64_t i = 0; i <= t->last - t->first; i++) {
		uint64_t table[PV_LAYOUT_ENTRIES];
		int err;

		pv_layout_fill(l, ram->p2m, level, run, i, table);
		err = guest_ram_write(ram, (t->pfn + i) * GUEST_PAGE_SIZE, table, sizeof(table));
		if (err)
			return err;
	}
	return 0;
}

int pv_image_write_tables(const struct pv_layout *l, struct guest_ram *ram)
{
	for (unsigned int level = 1; level <= PV_LEVELS; level++) {
		for (unsigned int i = 0; i < l->nr_tables[level]; i++) {
			int err = write_run(l, ram, level, i);

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
	si.nr_pages = l->wish.nr_pages;
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
	if (l->wish.initrd_len) {
		si.mod_len = l->wish.initrd_len;
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
