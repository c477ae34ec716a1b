/* SPDX-License-Identifier: MIT */
/*
 * elf.c - reads ELF64 x86-64 images and their Xen notes. Every offset of the file is checked
 * against the buffer before it is followed; fields are copied out, so alignment does not matter.
 * Source: System V ABI, chapter 4 and 5; note numbers from <xen/elfnote.h>.
 */
#include <xen/elfnote.h>

#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PT_LOAD 1
#define PT_NOTE 4
#define EM_X86_64 62
#define MAX_PROGRAM_HEADERS 64

struct ehdr {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct ehdr) == 64, "ELF64 file header");

struct phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct phdr) == 56, "ELF64 program header");

struct nhdr {
	u32 namesz, descsz, type;
};

/* True when [off, off+len) lies inside @total bytes. */
static bool range_inside(u64 off, u64 len, u64 total)
{
	return off <= total && len <= total - off;
}

static int fail(const char **reason, int err, const char *text)
{
	*reason = text;
	return err;
}

static u64 desc_number(const u8 *desc, u32 len)
{
	u64 v = 0;

	memcpy(&v, desc, MIN(len, 8u));
	return v;
}

static void desc_string(char *dst, size_t size, const u8 *desc, u32 len)
{
	size_t n = strnlen((const char *)desc, MIN((size_t)len, size - 1));

	memcpy(dst, desc, n);
	dst[n] = '\0';
}

static void take_note(struct elf_image *img, u32 type, const u8 *desc, u32 len)
{
	static const struct {
		u32 type;
		size_t value, has; /* offsets in struct elf_image */
	} numbers[] = {
#define NOTE(t, v, h) {t, offsetof(struct elf_image, v), offsetof(struct elf_image, h)}
		NOTE(XEN_ELFNOTE_ENTRY, note_entry, has_entry),
		NOTE(XEN_ELFNOTE_VIRT_BASE, virt_base, has_virt_base),
		NOTE(XEN_ELFNOTE_PADDR_OFFSET, paddr_offset, has_paddr_offset),
		NOTE(XEN_ELFNOTE_INIT_P2M, init_p2m, has_init_p2m),
		NOTE(XEN_ELFNOTE_HYPERCALL_PAGE, hypercall_page, has_hypercall_page),
		NOTE(XEN_ELFNOTE_MOD_START_PFN, mod_start_pfn, has_mod_start_pfn),
#undef NOTE
	};

	img->has_xen_notes = true;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].type != type)
			continue;
		*(u64 *)((char *)img + numbers[i].value) = desc_number(desc, len);
		*(bool *)((char *)img + numbers[i].has) = true;
	}
	if (type == XEN_ELFNOTE_GUEST_OS)
		desc_string(img->guest_os, sizeof(img->guest_os), desc, len);
	else if (type == XEN_ELFNOTE_FEATURES)
		desc_string(img->features, sizeof(img->features), desc, len);
	else if (type == XEN_ELFNOTE_SUPPORTED_FEATURES)
		img->supported_features = (u32)desc_number(desc, len);
}

static int parse_notes(struct elf_image *img, u64 off, u64 len, const char **reason)
{
	u64 end = off + len; /* inside the file: checked by the caller */

	while (end - off >= sizeof(struct nhdr)) {
		struct nhdr n;
		u64 name = off + sizeof(n), desc;

		memcpy(&n, img->bytes + off, sizeof(n));
		if (!range_inside(name, ALIGN_UP((u64)n.namesz, 4), end))
			return fail(reason, -EINVAL, "a note's name reaches beyond its segment");
		desc = name + ALIGN_UP((u64)n.namesz, 4);
		if (!range_inside(desc, n.descsz, end))
			return fail(reason, -EINVAL, "a note's body reaches beyond its segment");
		if (n.namesz == 4 && !memcmp(img->bytes + name, "Xen", 4))
			take_note(img, n.type, img->bytes + desc, n.descsz);
		off = MIN(desc + ALIGN_UP((u64)n.descsz, 4), end);
	}
	return 0;
}

static int take_segment(struct elf_image *img, const struct phdr *ph, const char **reason)
{
	if (ph->memsz < ph->filesz)
		return fail(reason, -EINVAL, "a segment is larger in the file than in memory");
	if (ph->paddr + ph->memsz < ph->paddr || ph->vaddr + ph->memsz < ph->vaddr)
		return fail(reason, -EINVAL, "a segment's address wraps around");
	if (ph->memsz == 0)
		return 0;
	if (img->nr_segments == ELF_MAX_SEGMENTS)
		return fail(reason, -EINVAL, "too many loadable segments");
	img->segment[img->nr_segments++] = (struct elf_segment){
		.vaddr = ph->vaddr,
		.paddr = ph->paddr,
		.file_offset = ph->offset,
		.file_size = ph->filesz,
		.mem_size = ph->memsz,
	};
	img->paddr_start = MIN(img->paddr_start, ph->paddr);
	img->paddr_end = MAX(img->paddr_end, ph->paddr + ph->memsz);
	return 0;
}

static int parse_header(const struct ehdr *eh, size_t len, const char **reason)
{
	static const u8 magic[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	if (memcmp(eh->ident, magic, sizeof(magic)) || eh->machine != EM_X86_64)
		return fail(reason, -ENOEXEC, "not an ELF64 x86-64 image");
	if (eh->phentsize != sizeof(struct phdr))
		return fail(reason, -EINVAL, "program headers have a wrong size");
	if (eh->phnum > MAX_PROGRAM_HEADERS)
		return fail(reason, -EINVAL, "too many program headers");
	if (!range_inside(eh->phoff, (u64)eh->phnum * sizeof(struct phdr), len))
		return fail(reason, -EINVAL, "program headers reach beyond the file");
	return 0;
}

int elf_parse(struct elf_image *img, const void *bytes, size_t len, const char **reason)
{
	struct ehdr eh;
	int rc;

	memset(img, 0, sizeof(*img));
	img->bytes = bytes;
	img->len = len;
	img->paddr_start = ~0ULL;
	if (len < sizeof(eh))
		return fail(reason, -ENOEXEC, "shorter than an ELF header");
	memcpy(&eh, bytes, sizeof(eh));
	rc = parse_header(&eh, len, reason);
	if (rc)
		return rc;
	img->entry = eh.entry;
	for (unsigned int i = 0; i < eh.phnum; i++) {
		struct phdr ph;

		memcpy(&ph, img->bytes + eh.phoff + i * sizeof(ph), sizeof(ph));
		if (ph.type != PT_LOAD && ph.type != PT_NOTE)
			continue;
		if (!range_inside(ph.offset, ph.filesz, len))
			return fail(reason, -EINVAL, "a segment reaches beyond the file");
		rc = ph.type == PT_LOAD ? take_segment(img, &ph, reason)
					: parse_notes(img, ph.offset, ph.filesz, reason);
		if (rc)
			return rc;
	}
	if (!img->nr_segments)
		return fail(reason, -EINVAL, "no loadable segment");
	return 0;
}
