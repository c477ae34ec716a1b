/* SPDX-License-Identifier: MIT */
/*
 * make_elf.c - writes small ELF kernels.
 */
#include "make_elf.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <xen/elfnote.h>

const struct make_elf make_elf_linux = {
	.paddr = 0x100000, .vbase = 0xffffffff80000000, .filesz = 40000, .memsz = 800000,
	.entry_offset = 0x1c0, .init_p2m = 0x8000000000, .mod_start_pfn = true,
};

const struct make_elf make_elf_grub = {
	.paddr = 0, .vbase = 0, .filesz = 30000, .memsz = 30000, .entry_offset = 0,
	.hypercall_page = 0x2000,
};

static size_t add_note(uint8_t *at, uint32_t type, const void *desc, uint32_t descsz)
{
	Elf64_Nhdr n = { 4, descsz, type };

	memcpy(at, &n, sizeof(n));
	memcpy(at + sizeof(n), "Xen", 4);
	memcpy(at + sizeof(n) + 4, desc, descsz);
	return sizeof(n) + 4 + ((descsz + 3) & ~3u);
}

static size_t add_notes(uint8_t *at, const struct make_elf *m)
{
	uint64_t entry = m->vbase + m->paddr + m->entry_offset, zero = 0;
	uint32_t one = 1;
	size_t n = 0;

	n += add_note(at + n, XEN_ELFNOTE_GUEST_OS, "test", 5);
	n += add_note(at + n, XEN_ELFNOTE_LOADER, "generic", 8);
	n += add_note(at + n, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	n += add_note(at + n, XEN_ELFNOTE_VIRT_BASE, &m->vbase, 8);
	n += add_note(at + n, XEN_ELFNOTE_PADDR_OFFSET, &zero, 8);
	n += add_note(at + n, XEN_ELFNOTE_ENTRY, &entry, 8);
	if (m->init_p2m)
		n += add_note(at + n, XEN_ELFNOTE_INIT_P2M, &m->init_p2m, 8);
	if (m->hypercall_page)
		n += add_note(at + n, XEN_ELFNOTE_HYPERCALL_PAGE, &m->hypercall_page, 8);
	if (m->mod_start_pfn)
		n += add_note(at + n, XEN_ELFNOTE_MOD_START_PFN, &one, 4);
	return n;
}

uint8_t *make_elf(const struct make_elf *m, size_t *len)
{
	uint8_t *file = calloc(1, 4096 + m->filesz);
	Elf64_Ehdr eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
			  .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1,
			  .e_phoff = sizeof(eh), .e_ehsize = sizeof(eh),
			  .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1 };
	Elf64_Phdr load = { .p_type = PT_LOAD, .p_offset = 4096, .p_paddr = m->paddr,
			    .p_vaddr = m->vbase + m->paddr, .p_filesz = m->filesz,
			    .p_memsz = m->memsz };
	Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = 1024 };
	Elf64_Shdr sh = { .sh_type = SHT_NOTE, .sh_offset = 1024 };
	size_t notes = m->no_notes ? 0 : add_notes(file + 1024, m);

	note.p_filesz = notes;
	sh.sh_size = notes;
	if (m->notes_in_section) {
		eh.e_shoff = 512;
		eh.e_shnum = 1;
		eh.e_shentsize = sizeof(sh);
		memcpy(file + 512, &sh, sizeof(sh));
	} else {
		eh.e_phnum = 2;
	}
	memcpy(file, &eh, sizeof(eh));
	memcpy(file + sizeof(eh), &load, sizeof(load));
	if (!m->notes_in_section)
		memcpy(file + sizeof(eh) + sizeof(load), &note, sizeof(note));
	for (uint64_t i = 0; i < m->filesz; i++)
		file[4096 + i] = (uint8_t)(i * 7 + 1);
	*len = 4096 + m->filesz;
	return file;
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

uint8_t *make_bzimage(const uint8_t *packed, size_t n, uint32_t size, bool own_size, size_t *len)
{
	uint8_t *f;

	n -= own_size ? 4 : 0;
	*len = 3 * 512 + 64 + n + 4 + 100;
	f = calloc(1, *len);
	f[0x1f1] = 2;
	memcpy(f + 0x202, "HdrS", 4);
	f[0x206] = 0x0f;
	f[0x207] = 0x02;
	put32(f + 0x248, 64);
	put32(f + 0x24c, (uint32_t)n + 4);
	memcpy(f + 3 * 512 + 64, packed, n);
	put32(f + 3 * 512 + 64 + n, size);
	return f;
}
