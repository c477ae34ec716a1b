/* SPDX-License-Identifier: MIT */
/*
 * elf64.c - ELF program headers and Xen notes of a PV kernel.
 *
 * Owns: every bounds check between the file and the loader. Not: where things go in the
 * guest (pv_layout.c). Source: ELF-64 specification; xen/elfnote.h.
 */
#include "elf64.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include <xen/elfnote.h>

#define MAX_PHYS (1ULL << 40)	/* far above any guest; keeps sums from overflowing */

static bool in_file(const struct elf64 *elf, uint64_t off, uint64_t len)
{
	return off <= elf->len && len <= elf->len - off;
}

static uint64_t note_number(const uint8_t *desc, uint32_t descsz)
{
	uint64_t v = 0;

	if (descsz > sizeof(v))
		descsz = sizeof(v);
	memcpy(&v, desc, descsz);
	return v;
}

static void take_note(struct elf64 *elf, uint32_t type, const uint8_t *desc, uint32_t descsz)
{
	size_t n = descsz < sizeof(elf->guest_os) - 1 ? descsz : sizeof(elf->guest_os) - 1;

	elf->has_notes = true;
	switch (type) {
	case XEN_ELFNOTE_GUEST_OS:
		memcpy(elf->guest_os, desc, n);
		elf->guest_os[n] = '\0';
		break;
	case XEN_ELFNOTE_ENTRY:
		elf->virt_entry = note_number(desc, descsz);
		break;
	case XEN_ELFNOTE_VIRT_BASE:
		elf->virt_base = note_number(desc, descsz);
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		elf->paddr_offset = note_number(desc, descsz);
		break;
	case XEN_ELFNOTE_INIT_P2M:
		elf->init_p2m = note_number(desc, descsz);
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		elf->hypercall_page = note_number(desc, descsz);
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		elf->mod_start_pfn = note_number(desc, descsz) != 0;
		break;
	default:
		break;
	}
}

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~3ULL;
}

/* Walks one note area; a note that runs past its end stops the walk. */
static void scan_notes(struct elf64 *elf, uint64_t off, uint64_t len)
{
	uint64_t end = off + len;

	while (off + sizeof(Elf64_Nhdr) <= end) {
		Elf64_Nhdr n;
		uint64_t name, desc;

		memcpy(&n, elf->image + off, sizeof(n));
		name = off + sizeof(n);
		desc = name + align4(n.n_namesz);
		if (desc > end || n.n_descsz > end - desc)
			return;
		if (n.n_namesz == 4 && !memcmp(elf->image + name, "Xen", 4))
			take_note(elf, n.n_type, elf->image + desc, n.n_descsz);
		off = desc + align4(n.n_descsz);
	}
}

static int take_segment(struct elf64 *elf, const Elf64_Phdr *ph)
{
	struct elf64_segment *s = &elf->segment[elf->nr_segments];

	if (ph->p_memsz == 0)
		return 0;
	if (!in_file(elf, ph->p_offset, ph->p_filesz))
		return -ERANGE;
	if (ph->p_filesz > ph->p_memsz || ph->p_paddr >= MAX_PHYS || ph->p_memsz >= MAX_PHYS)
		return -EINVAL;
	if (elf->nr_segments == ELF64_MAX_SEGMENTS)
		return -EINVAL;
	*s = (struct elf64_segment){ ph->p_paddr, ph->p_offset, ph->p_filesz, ph->p_memsz };
	if (!elf->nr_segments || s->paddr < elf->pstart)
		elf->pstart = s->paddr;
	if (s->paddr + s->memsz > elf->pend)
		elf->pend = s->paddr + s->memsz;
	elf->nr_segments++;
	return 0;
}

static int scan_program_headers(struct elf64 *elf, const Elf64_Ehdr *eh)
{
	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		Elf64_Phdr ph;
		uint64_t off = eh->e_phoff + (uint64_t)i * sizeof(ph);
		int err;

		if (eh->e_phoff > elf->len || !in_file(elf, off, sizeof(ph)))
			return -ERANGE;
		memcpy(&ph, elf->image + off, sizeof(ph));
		if (ph.p_type == PT_LOAD) {
			err = take_segment(elf, &ph);
			if (err)
				return err;
		} else if (ph.p_type == PT_NOTE) {
			if (!in_file(elf, ph.p_offset, ph.p_filesz))
				return -ERANGE;
			scan_notes(elf, ph.p_offset, ph.p_filesz);
		}
	}
	return elf->nr_segments ? 0 : -EINVAL;
}

/* Images without a PT_NOTE (GRUB's) keep their notes in a section. */
static void scan_sections(struct elf64 *elf, const Elf64_Ehdr *eh)
{
	if (eh->e_shoff > elf->len || eh->e_shentsize != sizeof(Elf64_Shdr))
		return;
	for (unsigned int i = 0; i < eh->e_shnum; i++) {
		Elf64_Shdr sh;
		uint64_t off = eh->e_shoff + (uint64_t)i * sizeof(sh);

		if (!in_file(elf, off, sizeof(sh)))
			return;
		memcpy(&sh, elf->image + off, sizeof(sh));
		if (sh.sh_type == SHT_NOTE && in_file(elf, sh.sh_offset, sh.sh_size))
			scan_notes(elf, sh.sh_offset, sh.sh_size);
	}
}

static bool header_ok(const Elf64_Ehdr *eh)
{
	return !memcmp(eh->e_ident, ELFMAG, SELFMAG) && eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh->e_ident[EI_DATA] == ELFDATA2LSB && eh->e_machine == EM_X86_64 &&
	       (eh->e_type == ET_EXEC || eh->e_type == ET_DYN) &&
	       eh->e_phentsize == sizeof(Elf64_Phdr);
}

int elf64_parse(struct elf64 *elf, const void *image, size_t len)
{
	Elf64_Ehdr eh;
	int err;

	*elf = (struct elf64){
		.image = image, .len = len, .virt_base = ELF64_ADDR_UNSET,
		.paddr_offset = ELF64_ADDR_UNSET, .virt_entry = ELF64_ADDR_UNSET,
		.init_p2m = ELF64_ADDR_UNSET, .hypercall_page = ELF64_ADDR_UNSET,
	};
	if (len < sizeof(eh))
		return -ENOEXEC;
	memcpy(&eh, image, sizeof(eh));
	if (!header_ok(&eh))
		return -ENOEXEC;
	err = scan_program_headers(elf, &eh);
	if (err)
		return err;
	if (!elf->has_notes)
		scan_sections(elf, &eh);
	if (!elf->has_notes)
		return -ENOTSUP;
	elf->entry = elf->virt_entry != ELF64_ADDR_UNSET ? elf->virt_entry : eh.e_entry;
	if (elf->virt_base == ELF64_ADDR_UNSET)
		elf->virt_base = 0;
	if (elf->paddr_offset == ELF64_ADDR_UNSET)
		elf->paddr_offset = 0;
	return 0;
}

const char *elf64_strerror(int err)
{
	switch (err) {
	case -ENOEXEC:
		return "is not a 64-bit x86 ELF kernel";
	case -ERANGE:
		return "is truncated";
	case -ENOTSUP:
		return "is not a Xen PV kernel (it carries no Xen notes)";
	default:
		return "has a damaged ELF header";
	}
}
