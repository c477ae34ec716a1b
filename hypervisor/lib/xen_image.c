/* SPDX-License-Identifier: MIT */
/*
 * xen_image.c - the Xen notes of a kernel: in note segments, else in note sections, else the string
 * in the section __xen_guest; what follows when they say nothing; and what they may not say.
 */
#include "lib/xen_image.h"

#include <xen/elfnote.h>

#include "lib/errno.h"
#include "lib/string.h"

#define OWNER "Xen"
#define GUEST_SECTION "__xen_guest"
#define MAX_BYTES (1ULL << 40) /* far above any guest; keeps sums from overflowing */
#define WORD_MAX 128
#define PAGE_BITS 12

/* One fact: the note's number, its word in the guest string, and where it goes. */
struct fact {
	u32 note;
	const char *word;
	size_t at;   /* in struct xen_image */
	size_t size; /* of a string; 0: a number */
};

#define NUMBER(n, w, field) {XEN_ELFNOTE_##n, w, offsetof(struct xen_image, field), 0}
#define STRING(n, w, field)                                                                        \
	{XEN_ELFNOTE_##n, w, offsetof(struct xen_image, field), \
	 sizeof(((struct xen_image *)0)->field)}

static const struct fact facts[] = {
	STRING(GUEST_OS, "GUEST_OS", guest_os),
	STRING(LOADER, "LOADER", loader),
	STRING(XEN_VERSION, "XEN_VER", xen_version),
	STRING(FEATURES, "FEATURES", features),
	NUMBER(VIRT_BASE, "VIRT_BASE", virt_base),
	NUMBER(ENTRY, "VIRT_ENTRY", entry),
	NUMBER(PADDR_OFFSET, "ELF_PADDR_OFFSET", paddr_offset),
	NUMBER(HYPERCALL_PAGE, "HYPERCALL_PAGE", hypercall_page),
	NUMBER(INIT_P2M, NULL, init_p2m),
};

static int fail(const char **reason, int err, const char *text)
{
	*reason = text;
	return err;
}

static u64 note_number(const u8 *desc, u32 len)
{
	u64 v = 0;

	memcpy(&v, desc, MIN(len, 8u));
	return v;
}

static void take_string(struct xen_image *x, const struct fact *fact, const char *text, size_t len)
{
	char *to = (char *)x + fact->at;
	size_t n = strnlen(text, MIN(len, fact->size - 1));

	memcpy(to, text, n);
	to[n] = '\0';
}

static void take_number(struct xen_image *x, const struct fact *fact, u64 val)
{
	memcpy((char *)x + fact->at, &val, sizeof(val));
}

static void take_note(void *arg, u32 type, const u8 *desc, u32 len)
{
	struct xen_image *x = arg;

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		if (facts[i].note != type)
			continue;
		if (facts[i].size)
			take_string(x, &facts[i], (const char *)desc, len);
		else
			take_number(x, &facts[i], note_number(desc, len));
	}
	if (type == XEN_ELFNOTE_MOD_START_PFN) {
		x->initrd_unmapped = note_number(desc, len) != 0;
	} else if (type == XEN_ELFNOTE_SUPPORTED_FEATURES) {
		x->has_supported_features = true;
		x->supported_features = (u32)note_number(desc, len);
	}
}

/* As C's own numbers: 0x..., 0..., or decimal; ends at the first other character. */
static u64 text_number(const char *s)
{
	u64 base = 10, val = 0;

	if (s[0] == '0') {
		base = s[1] == 'x' || s[1] == 'X' ? 16 : 8;
		s += base == 16 ? 2 : 1;
	}
	for (;; s++) {
		u64 digit = *s >= '0' && *s <= '9' ? (u64)(*s - '0') :
			    (*s | 0x20) >= 'a' && (*s | 0x20) <= 'f' ?
						     (u64)((*s | 0x20) - 'a') + 10 :
						     ~0ULL;

		if (digit >= base)
			return val;
		val = val * base + digit;
	}
}

/* One "WORD=value" or "WORD" of @len bytes. */
static void take_word(struct xen_image *x, const char *word, size_t len)
{
	char value[WORD_MAX];
	size_t name = 0, n;

	while (name < len && word[name] != '=')
		name++;
	n = name < len ? MIN(len - name - 1, sizeof(value) - 1) : 0;
	memcpy(value, word + MIN(name + 1, len), n);
	value[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const char *known = facts[i].word;

		if (!known || strlen(known) != name || memcmp(known, word, name))
			continue;
		if (facts[i].size)
			take_string(x, &facts[i], value, n);
		else
			take_number(x, &facts[i], text_number(value));
	}
}

/* "WORD=value,WORD=value", to its end or the section's. */
static void take_guest_string(struct xen_image *x, const char *text, u64 len)
{
	len = strnlen(text, len);
	while (len) {
		size_t n = 0;

		while (n < len && text[n] != ',')
			n++;
		take_word(x, text, n);
		n = MIN(n + 1, len);
		text += n;
		len -= n;
	}
	/* there it is the page's number, counted from the base */
	if (x->hypercall_page != XEN_IMAGE_UNSET)
		x->hypercall_page = (x->hypercall_page << PAGE_BITS) +
				    (x->virt_base == XEN_IMAGE_UNSET ? 0 : x->virt_base);
	/* such images were linked with their virtual addresses as physical ones */
	if (x->paddr_offset == XEN_IMAGE_UNSET && x->virt_base != XEN_IMAGE_UNSET)
		x->paddr_offset = x->virt_base;
}

static int read_words(struct xen_image *x, const char **reason)
{
	int nr = elf_segment_notes(&x->elf, OWNER, take_note, x, reason);
	const u8 *text;
	u64 len;

	if (nr == 0)
		nr = elf_section_notes(&x->elf, OWNER, take_note, x, reason);
	if (nr)
		return MIN(nr, 0);
	text = elf_section(&x->elf, GUEST_SECTION, &len);
	if (!text)
		return fail(reason, -EOPNOTSUPP,
			    "is not a Xen PV kernel: it has neither Xen notes nor "
						 "a section " GUEST_SECTION);
	take_guest_string(x, (const char *)text, len);
	return 0;
}

static bool begins_with(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static int check_words(const struct xen_image *x, const char **reason)
{
	if (!begins_with(x->loader, "generic") && !begins_with(x->guest_os, "linux"))
		return fail(reason, -EOPNOTSUPP,
			    "is made for another loader: neither LOADER=generic nor "
						 "GUEST_OS=linux");
	if (!begins_with(x->xen_version, "xen-3.0"))
		return fail(reason, -EOPNOTSUPP, "is made for another version of Xen's interface: "
						 "XEN_VERSION is not xen-3.0");
	if (x->paddr_offset != XEN_IMAGE_UNSET && x->virt_base == XEN_IMAGE_UNSET)
		return fail(reason, -EINVAL, "has a PADDR_OFFSET but no VIRT_BASE");
	return 0;
}

static int place(struct xen_image *x, const char **reason)
{
	u64 first, last;

	if (x->virt_base == XEN_IMAGE_UNSET)
		x->virt_base = 0;
	if (x->paddr_offset == XEN_IMAGE_UNSET)
		x->paddr_offset = 0;
	if (x->entry == XEN_IMAGE_UNSET)
		x->entry = x->elf.entry;
	if (x->elf.paddr_start < x->paddr_offset || x->elf.paddr_end - x->paddr_offset > MAX_BYTES)
		return fail(reason, -EINVAL, "lies outside the memory it can have");
	x->start = x->elf.paddr_start - x->paddr_offset;
	x->end = x->elf.paddr_end - x->paddr_offset;
	first = x->virt_base + x->start;
	last = x->virt_base + x->end - 1;
	if (first < x->virt_base || last < first)
		return fail(reason, -EINVAL, "asks for addresses that no guest can have");
	if (x->entry < first || x->entry > last)
		return fail(reason, -EINVAL, "has its entry outside itself");
	if (x->init_p2m != XEN_IMAGE_UNSET && x->init_p2m >= first && x->init_p2m <= last)
		return fail(reason, -EINVAL, "wants its p2m over itself");
	return 0;
}

int xen_image_parse(struct xen_image *x, const void *bytes, size_t len, const char **reason)
{
	int rc;

	memset(x, 0, sizeof(*x));
	x->virt_base = x->paddr_offset = x->entry = x->init_p2m = x->hypercall_page =
		XEN_IMAGE_UNSET;
	rc = elf_parse(&x->elf, bytes, len, reason);
	if (!rc)
		rc = read_words(x, reason);
	if (!rc)
		rc = check_words(x, reason);
	return rc ? rc : place(x, reason);
}
