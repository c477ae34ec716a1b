/* SPDX-License-Identifier: MIT */
/*
 * multiboot2.c - walks the tags of the boot information. Trusted input (whoever controls the boot
 * loader controls the machine), yet bounded by the structure's own size. Source: Multiboot2
 * specification 2.0, chapter 3.6.
 */
#include "boot/multiboot2.h"
#include "lib/string.h"
#include "x86/e820.h"

#define MB2_MAGIC 0x36d76289
#define TAG_END 0
#define TAG_CMDLINE 1
#define TAG_MODULE 3
#define TAG_MMAP 6
#define TAG_FRAMEBUFFER 8
#define TAG_EFI64 12
#define TAG_ALIGN 8

struct tag {
	u32 type, size;
};

struct tag_module {
	struct tag tag;
	u32 start, end;
	char cmdline[];
};

struct tag_mmap {
	struct tag tag;
	u32 entry_size, entry_version;
	u8 entries[];
};

struct tag_efi64 {
	struct tag tag;
	u64 system_table;
};

/* As far as it is the same for all kinds, and then that of kind FRAMEBUFFER_RGB. */
struct tag_framebuffer {
	struct tag tag;
	u64 addr;
	u32 pitch, width, height;
	u8 bits_per_pixel, kind;
	u16 reserved;
	u8 rgb[6]; /* position and size of red, green, blue */
} __attribute__((packed));
_Static_assert(sizeof(struct tag_framebuffer) == 38, "Multiboot2 3.6.12");
#define FRAMEBUFFER_RGB 1

struct mmap_entry {
	u64 addr, len;
	u32 type, reserved;
};

/* The text at @text ends with its tag, whether a zero byte says so or not. */
static void copy_text(char *dst, size_t size, const char *text, size_t len)
{
	size_t n = strnlen(text, MIN(len, size - 1));

	memcpy(dst, text, n);
	dst[n] = '\0';
}

static void take_module(struct boot_info *out, const struct tag *tag)
{
	const struct tag_module *t = (const struct tag_module *)tag;
	unsigned int n = out->nr_modules;

	if (n == BOOT_MAX_MODULES || tag->size < sizeof(*t) || t->end < t->start)
		return;
	copy_text(out->module_cmdline[n], BOOT_CMDLINE_MAX, t->cmdline, tag->size - sizeof(*t));
	out->module[n] = (struct boot_module){
		.start = t->start,
		.len = t->end - t->start,
		.cmdline = out->module_cmdline[n],
	};
	out->nr_modules = n + 1;
}

/* Multiboot's types are e820's, except that everything unknown is reserved. */
static void take_mmap(struct e820_map *map, const struct tag *tag)
{
	const struct tag_mmap *t = (const struct tag_mmap *)tag;

	if (tag->size < sizeof(*t) || t->entry_size < sizeof(struct mmap_entry))
		return;
	for (u64 off = sizeof(*t); off + t->entry_size <= tag->size; off += t->entry_size) {
		struct mmap_entry e;

		memcpy(&e, (const u8 *)tag + off, sizeof(e));
		if (e.type < E820_RAM || e.type > E820_UNUSABLE)
			e.type = E820_RESERVED;
		e820_add(map, e.addr, e.len, e.type);
	}
}

/* What is no picture in plain colours (text), or larger than dom0 can be told, is left out. */
static void take_framebuffer(struct boot_video *video, const struct tag *tag)
{
	const struct tag_framebuffer *t = (const struct tag_framebuffer *)tag;

	if (tag->size < sizeof(*t) || t->kind != FRAMEBUFFER_RGB || t->pitch > 0xffff ||
	    t->width > 0xffff ||
	    t->height > 0xffff)
		return;
	*video = (struct boot_video){
		.addr = t->addr,
		.pitch = (u16)t->pitch,
		.width = (u16)t->width,
		.height = (u16)t->height,
		.bits_per_pixel = t->bits_per_pixel,
	};
	memcpy(video->rgb, t->rgb, sizeof(video->rgb));
}

static void take_tag(struct boot_info *out, struct e820_map *map, const struct tag *tag)
{
	if (tag->type == TAG_CMDLINE)
		copy_text(out->cmdline, sizeof(out->cmdline), (const char *)(tag + 1),
			  tag->size - sizeof(*tag));
	else if (tag->type == TAG_MODULE)
		take_module(out, tag);
	else if (tag->type == TAG_MMAP)
		take_mmap(map, tag);
	else if (tag->type == TAG_FRAMEBUFFER)
		take_framebuffer(&out->video, tag);
	else if (tag->type == TAG_EFI64 && tag->size >= sizeof(struct tag_efi64))
		out->efi_system_table = ((const struct tag_efi64 *)tag)->system_table;
}

bool multiboot2_parse(u32 magic, const void *mbi, struct boot_info *out, struct e820_map *map,
		      const char **reason)
{
	u64 total = *(const u32 *)mbi, off = 8;

	if (magic != MB2_MAGIC) {
		*reason = "not started by a multiboot2 loader (GRUB: use 'multiboot2', not "
			  "'multiboot')";
		return false;
	}
	while (off + sizeof(struct tag) <= total) {
		const struct tag *tag = (const struct tag *)((const u8 *)mbi + off);

		if (tag->type == TAG_END || tag->size < sizeof(*tag) || tag->size > total - off)
			break;
		take_tag(out, map, tag);
		off += ALIGN_UP((u64)tag->size, TAG_ALIGN);
	}
	*reason = "the boot loader gave no memory map";
	return map->nr != 0;
}
