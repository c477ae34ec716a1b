/* SPDX-License-Identifier: MIT */
/*
 * elf64.h - what a Xen PV kernel image says about itself.
 *
 * Pure: works on bytes in memory, trusts none of them, allocates nothing.
 * Source: ELF-64 object file format; xen/elfnote.h for the notes.
 */
#ifndef XEND_ELF64_H
#define XEND_ELF64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF64_MAX_SEGMENTS 32
#define ELF64_ADDR_UNSET UINT64_MAX

/* One PT_LOAD. Offsets lie inside the image and memsz >= filesz: elf64_parse() checked. */
struct elf64_segment {
	uint64_t paddr;
	uint64_t offset;
	uint64_t filesz;
	uint64_t memsz;
};

/* A parsed kernel. Borrows the image's bytes, which must outlive it. */
struct elf64 {
	const uint8_t *image;
	size_t len;
	uint64_t entry;
	unsigned int nr_segments;
	struct elf64_segment segment[ELF64_MAX_SEGMENTS];
	uint64_t pstart, pend;		/* byte range all segments cover, physical */

	/* From the notes; ELF64_ADDR_UNSET when the image does not say. */
	bool has_notes;
	char guest_os[32];
	uint64_t virt_base;
	uint64_t paddr_offset;
	uint64_t virt_entry;
	uint64_t init_p2m;
	uint64_t hypercall_page;
	bool mod_start_pfn;		/* the initrd may be left unmapped */
};

/*
 * Parses the untrusted file at @image. 0, or
 *  -ENOEXEC  not an x86-64 ELF executable
 *  -ERANGE   a header points outside the file: truncated or hostile
 *  -EINVAL   contradicts itself (segments overflow, none, too many)
 *  -ENOTSUP  a kernel without Xen PV notes
 */
int elf64_parse(struct elf64 *elf, const void *image, size_t len);

/* One line in the user's words for an error of elf64_parse(). */
const char *elf64_strerror(int err);

#endif
