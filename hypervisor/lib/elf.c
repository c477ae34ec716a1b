/* SPDX-License-Identifier: MIT */
/*
 * elf.c - reads ELF64 x86-64 images. Every offset of the file is checked against the buffer before
 * it is followed; fields are copied out, so alignment does not matter.
 * Source: System V ABI, chapters 4 and 5.
 */
#include "lib/elf.h"

#include "lib/errno.h"
#include "lib/string.h"

#define PT_LOAD 1
#define PT_NOTE 4
#define SHT_NOTE 7
#define EM_X86_64 62
#define MAX_PROGRAM_HEADERS 64
#define NAME_MAX_LEN 32

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

struct shdr {
	u32 name, type;
	u64 flags, addr, offset, size;
	u32 link, info;
	u64 addralign, entsize;
};
_Static_assert(sizeof(struct shdr) == 64, "ELF64 section header");

struct nhdr {
	u32 namesz, descsz, type;
};

/* Whose notes are looked for, and who gets them. */
struct note_wish {
	const char *owner;
	elf_note_fn fn;
	void *arg;
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

/* Notes in [off, off + len), which lies inside the file. Returns how many were wanted. */
static int walk_notes(const struct elf_image *img, u64 off, u64 len, const struct note_wish *wish,
		      const char **reason)
{
	u64 end = off + len, owner_size = strlen(wish->owner) + 1;
	int nr = 0;

	while (end - off >= sizeof(struct nhdr)) {
		struct nhdr n;
		u64 name = off + sizeof(n), desc;

		memcpy(&n, img->bytes + off, sizeof(n));
		if (!range_inside(name, ALIGN_UP((u64)n.namesz, 4), end))
			return fail(reason, -EINVAL,
				    "has a note whose name reaches beyond its end");
		desc = name + ALIGN_UP((u64)n.namesz, 4);
		if (!range_inside(desc, n.descsz, end))
			return fail(reason, -EINVAL,
				    "has a note whose body reaches beyond its end");
		if (n.namesz == owner_size && !memcmp(img->bytes + name, wish->owner, owner_size)) {
			wish->fn(wish->arg, n.type, img->bytes + desc, n.descsz);
			nr++;
		}
		off = MIN(desc + ALIGN_UP((u64)n.descsz, 4), end);
	}
	return nr;
}

static int take_segment(struct elf_image *img, const struct phdr *ph, const char **reason)
{
	if (!range_inside(ph->offset, ph->filesz, img->len))
		return fail(reason, -EINVAL, "is truncated: a segment reaches beyond the file");
	if (ph->memsz < ph->filesz)
		return fail(reason, -EINVAL, "has a segment larger in the file than in memory");
	if (ph->paddr + ph->memsz < ph->paddr || ph->vaddr + ph->memsz < ph->vaddr)
		return fail(reason, -EINVAL, "has a segment whose address wraps around");
	if (ph->memsz == 0)
		return 0;
	if (img->nr_segments == ELF_MAX_SEGMENTS)
		return fail(reason, -EINVAL, "has too many loadable segments");
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

static int check_header(const struct ehdr *eh, size_t len, const char **reason)
{
	static const u8 magic[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	if (memcmp(eh->ident, magic, sizeof(magic)) || eh->machine != EM_X86_64)
		return fail(reason, -ENOEXEC, "is not a 64-bit x86 ELF kernel");
	if (eh->phentsize != sizeof(struct phdr))
		return fail(reason, -EINVAL, "has program headers of a wrong size");
	if (eh->phnum > MAX_PROGRAM_HEADERS)
		return fail(reason, -EINVAL, "has too many program headers");
	if (!range_inside(eh->phoff, (u64)eh->phnum * sizeof(struct phdr), len))
		return fail(reason, -EINVAL,
			    "is truncated: the program headers reach beyond the file");
	return 0;
}

static struct phdr program_header(const struct elf_image *img, unsigned int i)
{
	struct phdr ph;

	memcpy(&ph, img->bytes + img->phoff + i * sizeof(ph), sizeof(ph));
	return ph;
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
		return fail(reason, -ENOEXEC, "is shorter than an ELF header");
	memcpy(&eh, bytes, sizeof(eh));
	rc = check_header(&eh, len, reason);
	if (rc)
		return rc;
	img->entry = eh.entry;
	img->phoff = eh.phoff;
	img->phnum = eh.phnum;
	img->shoff = eh.shoff;
	img->shnum = eh.shnum;
	img->shentsize = eh.shentsize;
	img->shstrndx = eh.shstrndx;
	for (unsigned int i = 0; i < img->phnum && !rc; i++) {
		struct phdr ph = program_header(img, i);

		if (ph.type == PT_LOAD)
			rc = take_segment(img, &ph, reason);
	}
	if (!rc && !img->nr_segments)
		return fail(reason, -EINVAL, "has no loadable segment");
	return rc;
}

int elf_segment_notes(const struct elf_image *img, const char *owner, elf_note_fn fn, void *arg,
		      const char **reason)
{
	struct note_wish wish = { owner, fn, arg };
	int nr = 0;

	for (unsigned int i = 0; i < img->phnum; i++) {
		struct phdr ph = program_header(img, i);
		int found;

		if (ph.type != PT_NOTE)
			continue;
		if (!range_inside(ph.offset, ph.filesz, img->len))
			return fail(reason, -EINVAL,
				    "is truncated: its notes reach beyond the file");
		found = walk_notes(img, ph.offset, ph.filesz, &wish, reason);
		if (found < 0)
			return found;
		nr += found;
	}
	return nr;
}

/* Section headers that are not in the file are none: images need no sections. */
static bool section_header(const struct elf_image *img, unsigned int i, struct shdr *sh)
{
	if (i >= img->shnum || img->shentsize != sizeof(*sh) ||
	    !range_inside(img->shoff, (u64)img->shnum * sizeof(*sh), img->len))
		return false;
	memcpy(sh, img->bytes + img->shoff + i * sizeof(*sh), sizeof(*sh));
	return true;
}

int elf_section_notes(const struct elf_image *img, const char *owner, elf_note_fn fn, void *arg,
		      const char **reason)
{
	struct note_wish wish = { owner, fn, arg };
	struct shdr sh;
	int nr = 0;

	for (unsigned int i = 0; section_header(img, i, &sh); i++) {
		int found;

		if (sh.type != SHT_NOTE)
			continue;
		if (!range_inside(sh.offset, sh.size, img->len))
			return fail(reason, -EINVAL,
				    "is truncated: its notes reach beyond the file");
		found = walk_notes(img, sh.offset, sh.size, &wish, reason);
		if (found < 0)
			return found;
		nr += found;
	}
	return nr;
}

/* The name at @offset of the section of names @names is @name. */
static bool is_named(const struct elf_image *img, const struct shdr *names, u32 offset,
		     const char *name)
{
	size_t size = strnlen(name, NAME_MAX_LEN) + 1;

	return range_inside(names->offset, names->size, img->len) &&
	       range_inside(offset, size, names->size) &&
	       !memcmp(img->bytes + names->offset + offset, name, size);
}

const u8 *elf_section(const struct elf_image *img, const char *name, u64 *len)
{
	struct shdr names, sh;

	if (!section_header(img, img->shstrndx, &names))
		return NULL;
	for (unsigned int i = 0; section_header(img, i, &sh); i++) {
		if (!is_named(img, &names, sh.name, name) ||
		    !range_inside(sh.offset, sh.size, img->len))
			continue;
		*len = sh.size;
		return img->bytes + sh.offset;
	}
	return NULL;
}
