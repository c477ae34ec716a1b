/* SPDX-License-Identifier: MIT */
/*
 * elf.h - a bounds-checked reader of ELF64 x86-64 images: segments, notes, sections. Pure: works on
 * a byte buffer and trusts nothing in it. xend compiles the same file.
 */
#ifndef HV_LIB_ELF_H
#define HV_LIB_ELF_H

#include "lib/types.h"

#define ELF_MAX_SEGMENTS 32

/* One PT_LOAD: lies inside the file, mem_size >= file_size, neither address wraps around. */
struct elf_segment {
	u64 vaddr, paddr, file_offset, file_size, mem_size;
};

/* Borrows the image's bytes, which must outlive it. */
struct elf_image {
	const u8 *bytes;
	size_t len;
	u64 entry; /* the header's; any value */
	unsigned int nr_segments;
	struct elf_segment segment[ELF_MAX_SEGMENTS]; /* PT_LOAD only, none empty */
	u64 paddr_start, paddr_end; /* lowest and highest+1 physical address loaded */
	/* the header's tables: the program headers are inside the file, the others unchecked */
	u64 phoff, shoff;
	u16 phnum, shnum, shentsize, shstrndx;
};

/*
 * 0; -ENOEXEC not ELF64 x86-64; -EINVAL truncated or inconsistent. @reason: what is wrong, to
 * follow the file's name.
 */
int must_check elf_parse(struct elf_image *img, const void *bytes, size_t len, const char **reason);

/* One note. @desc has @len bytes, any value. */
typedef void (*elf_note_fn)(void *arg, u32 type, const u8 *desc, u32 len);

/*
 * Calls @fn for each note whose owner is @owner, in the segments (PT_NOTE), in the sections
 * (SHT_NOTE). The number of them, or -EINVAL with @reason.
 */
int must_check elf_segment_notes(const struct elf_image *img, const char *owner, elf_note_fn fn,
				 void *arg, const char **reason);
int must_check elf_section_notes(const struct elf_image *img, const char *owner, elf_note_fn fn,
				 void *arg, const char **reason);

/* The bytes of the section called @name; NULL: there is none, or it is not in the file. */
const u8 *elf_section(const struct elf_image *img, const char *name, u64 *len);

#endif
