/* SPDX-License-Identifier: MIT */
/*
 * elf.h - a bounds-checked reader of ELF64 x86-64 images with Xen notes. Pure: works on a byte
 * buffer and trusts nothing in it.
 */
#ifndef HV_LIB_ELF_H
#define HV_LIB_ELF_H

#include "lib/types.h"

#define ELF_MAX_SEGMENTS 16

struct elf_segment {
	u64 vaddr, paddr, file_offset, file_size, mem_size;
};

struct elf_image {
	const u8 *bytes;
	size_t len;
	u64 entry;
	unsigned int nr_segments;
	struct elf_segment segment[ELF_MAX_SEGMENTS]; /* PT_LOAD only, all inside the file */
	u64 paddr_start, paddr_end; /* lowest and highest+1 physical address loaded */
	/* Xen notes; has_* tells presence */
	bool has_xen_notes, has_entry, has_virt_base, has_paddr_offset, has_init_p2m,
		has_hypercall_page;
	bool has_mod_start_pfn;
	u64 note_entry, virt_base, paddr_offset, init_p2m, hypercall_page;
	u64 mod_start_pfn;
	char guest_os[32], features[128];
	u32 supported_features;
};

/* 0; -ENOEXEC not ELF64 x86-64; -EINVAL truncated or inconsistent; *@reason: a readable sentence.
 */
int elf_parse(struct elf_image *img, const void *bytes, size_t len, const char **reason);

#endif
