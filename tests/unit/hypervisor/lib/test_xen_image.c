/* SPDX-License-Identifier: MIT */
/*
 * test_xen_image.c - what a kernel says to Xen, wherever it says it, and what stands for the words
 * it leaves out.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/elfnote.h>

#include "lib/xen_image.h"

#define HV_EINVAL 22
#define HV_ENOEXEC 8
#define HV_EOPNOTSUPP 95
#define SECTIONS 256
#define NAMES 512
#define WORDS 1024
#define FILE_LEN 2048
#define PADDR 0x100000
#define MEM 0x3000

/* Where an image has its words. */
enum place { IN_SEGMENT, IN_SECTION, IN_STRING };

struct image {
	uint8_t bytes[FILE_LEN];
	size_t words_len;
	enum place place;
};

static struct image image;

static Elf64_Ehdr *header(void)
{
	return (Elf64_Ehdr *)image.bytes;
}

static Elf64_Phdr *program_header(int i)
{
	return (Elf64_Phdr *)(image.bytes + sizeof(Elf64_Ehdr)) + i;
}

static Elf64_Shdr *section(int i)
{
	return (Elf64_Shdr *)(image.bytes + SECTIONS) + i;
}

/* One segment at PADDR, virtual @base above it; no words yet. */
static void begin(enum place place, uint64_t base)
{
	static const char names[] = "\0.note\0__xen_guest\0.shstrtab";

	memset(&image, 0, sizeof(image));
	image.place = place;
	*header() = (Elf64_Ehdr){ .e_ident = "\177ELF\2\1\1", .e_type = ET_EXEC, .e_machine = EM_X86_64,
				  .e_entry = base + PADDR + 0x40, .e_phoff = sizeof(Elf64_Ehdr),
				  .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
				  .e_shoff = SECTIONS, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3,
				  .e_shstrndx = 2 };
	*program_header(0) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = WORDS, .p_vaddr = base + PADDR,
					   .p_paddr = PADDR, .p_filesz = 100, .p_memsz = MEM };
	memcpy(image.bytes + NAMES, names, sizeof(names));
	*section(1) = (Elf64_Shdr){ .sh_name = place == IN_STRING ? 7 : 1,
				    .sh_type = place == IN_SECTION ? SHT_NOTE : SHT_PROGBITS,
				    .sh_offset = WORDS };
	*section(2) = (Elf64_Shdr){ .sh_name = 19, .sh_type = SHT_STRTAB, .sh_offset = NAMES,
				    .sh_size = sizeof(names) };
	if (place == IN_SEGMENT) {
		header()->e_phnum = 2;
		*program_header(1) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = WORDS };
	}
}

static void grow(size_t len)
{
	image.words_len += len;
	section(1)->sh_size = image.words_len;
	if (image.place == IN_SEGMENT)
		program_header(1)->p_filesz = image.words_len;
}

static void note(uint32_t type, const void *desc, uint32_t len)
{
	Elf64_Nhdr n = { .n_namesz = 4, .n_descsz = len, .n_type = type };
	uint8_t *at = image.bytes + WORDS + image.words_len;

	memcpy(at, &n, sizeof(n));
	memcpy(at + sizeof(n), "Xen", 4);
	memcpy(at + sizeof(n) + 4, desc, len);
	grow(sizeof(n) + 4 + ((len + 3) & ~3u));
}

static void note_text(uint32_t type, const char *text)
{
	note(type, text, (uint32_t)strlen(text) + 1);
}

static void note_number(uint32_t type, uint64_t val)
{
	note(type, &val, 8);
}

/* What Xen wants of every image. */
static void needed_notes(void)
{
	note_text(XEN_ELFNOTE_LOADER, "generic");
	note_text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
}

static void words(const char *text)
{
	memcpy(image.bytes + WORDS, text, strlen(text) + 1);
	grow(strlen(text) + 1);
}

static int parse(struct xen_image *x, const char **why)
{
	/* An exact allocation: a read past it is an ASan report. */
	void *copy = malloc(FILE_LEN);
	int rc;

	memcpy(copy, image.bytes, FILE_LEN);
	rc = xen_image_parse(x, copy, FILE_LEN, why);
	free(copy);
	return rc;
}

static struct xen_image taken(void)
{
	const char *why = "";
	struct xen_image x;

	if (parse(&x, &why))
		fail_msg("refused: %s", why);
	return x;
}

static void refused(int err, const char *word)
{
	const char *why = "";
	struct xen_image x;

	assert_int_equal(parse(&x, &why), -err);
	if (!strstr(why, word))
		fail_msg("'%s' does not say '%s'", why, word);
}

/* Linux: everything, in a segment. */
static void test_every_note_is_read(void **state)
{
	static const uint64_t base = 0xffffffff80000000;
	struct xen_image x;

	begin(IN_SEGMENT, base);
	note_text(XEN_ELFNOTE_GUEST_OS, "linux");
	note_text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	note_text(XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb");
	note_number(XEN_ELFNOTE_VIRT_BASE, base);
	note_number(XEN_ELFNOTE_PADDR_OFFSET, 0);
	note_number(XEN_ELFNOTE_ENTRY, base + PADDR + 0x200);
	note_number(XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	note_number(XEN_ELFNOTE_HYPERCALL_PAGE, base + PADDR + 0x1000);
	note(XEN_ELFNOTE_MOD_START_PFN, "\1\0\0", 4);
	note(XEN_ELFNOTE_SUPPORTED_FEATURES, "\1\x88\0", 4);
	x = taken();
	assert_string_equal(x.guest_os, "linux");
	assert_string_equal(x.features, "!writable_page_tables|pae_pgdir_above_4gb");
	assert_int_equal(x.virt_base, base);
	assert_int_equal(x.entry, base + PADDR + 0x200);
	assert_int_equal(x.init_p2m, 0x8000000000);
	assert_int_equal(x.hypercall_page, base + PADDR + 0x1000);
	assert_int_equal(x.start, PADDR);
	assert_int_equal(x.end, PADDR + MEM);
	assert_true(x.initrd_unmapped);
	assert_true(x.has_supported_features);
	assert_int_equal(x.supported_features, 0x8801);
}

/* XTF, Mini-OS: only what Xen insists on. */
static void test_what_is_left_out_has_its_meaning(void **state)
{
	static const enum place places[] = { IN_SEGMENT, IN_SECTION };

	for (size_t i = 0; i < 2; i++) {
		struct xen_image x;

		begin(places[i], 0);
		needed_notes();
		x = taken();
		assert_int_equal(x.virt_base, 0);
		assert_int_equal(x.paddr_offset, 0);
		assert_int_equal(x.entry, PADDR + 0x40);
		assert_int_equal(x.init_p2m, XEN_IMAGE_UNSET);
		assert_int_equal(x.hypercall_page, XEN_IMAGE_UNSET);
		assert_false(x.initrd_unmapped);
		assert_false(x.has_supported_features);
	}
}

static void test_sections_are_read_only_when_no_segment_has_notes_of_xen(void **state)
{
	struct xen_image x;

	begin(IN_SEGMENT, 0);
	needed_notes();
	note_text(XEN_ELFNOTE_GUEST_OS, "segment");
	section(1)->sh_type = SHT_NOTE;
	section(1)->sh_offset = WORDS + 8; /* no note begins there */
	x = taken();
	assert_string_equal(x.guest_os, "segment");
	/* a segment with somebody else's notes says nothing */
	begin(IN_SECTION, 0);
	needed_notes();
	header()->e_phnum = 2;
	*program_header(1) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NAMES + 64, .p_filesz = 16 };
	memcpy(image.bytes + NAMES + 64, "\4\0\0\0\0\0\0\0\1\0\0\0GNU", 16);
	assert_string_equal(taken().loader, "generic");
}

static void test_the_guest_string_is_the_last_resort(void **state)
{
	static const uint64_t base = 0xffffffff80000000;
	struct xen_image x;

	begin(IN_STRING, base);
	program_header(0)->p_paddr = base + PADDR; /* as such images were linked */
	words("GUEST_OS=old,XEN_VER=xen-3.0,HYPERCALL_PAGE=0x101,LOADER=generic,"
	      "VIRT_BASE=0xffffffff80000000,PAE=yes,NONSENSE,=,VIRT_ENTRY=0xffffffff80100080");
	x = taken();
	assert_string_equal(x.guest_os, "old");
	assert_int_equal(x.virt_base, base);
	assert_int_equal(x.paddr_offset, base); /* not said: as older versions had it */
	assert_int_equal(x.start, PADDR);
	assert_int_equal(x.hypercall_page, base + 0x101000);
	assert_int_equal(x.entry, base + PADDR + 0x80);

	begin(IN_STRING, base);
	words("LOADER=generic,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0");
	x = taken();
	assert_int_equal(x.paddr_offset, 0);
	assert_int_equal(x.entry, base + PADDR + 0x40);

	begin(IN_STRING, 0); /* octal and decimal; no base at all */
	words("LOADER=generic,XEN_VER=xen-3.0,HYPERCALL_PAGE=0401,VIRT_ENTRY=1048704");
	x = taken();
	assert_int_equal(x.hypercall_page, 0x101000);
	assert_int_equal(x.entry, PADDR + 0x80);
}

static void test_a_string_that_does_not_end_is_cut_at_its_section(void **state)
{
	char text[200];

	begin(IN_STRING, 0);
	words("LOADER=generic,XEN_VER=xen-3.0,GUEST_OS=abcdefgh");
	section(1)->sh_size -= 4; /* without its NUL */
	assert_string_equal(taken().guest_os, "abcde");
	begin(IN_STRING, 0);
	memset(text, 'y', sizeof(text));
	memcpy(text, "LOADER=generic,XEN_VER=xen-3.0,FEATURES=", 40);
	text[sizeof(text) - 1] = '\0';
	words(text);
	assert_int_equal(strlen(taken().features), 127);
}

static void test_kernels_not_made_for_this_interface_are_told_why(void **state)
{
	begin(IN_SEGMENT, 0);
	refused(HV_EOPNOTSUPP, "neither Xen notes nor a section __xen_guest");
	begin(IN_SEGMENT, 0);
	note_text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	note_text(XEN_ELFNOTE_GUEST_OS, "other");
	refused(HV_EOPNOTSUPP, "loader");
	begin(IN_SEGMENT, 0);
	note_text(XEN_ELFNOTE_LOADER, "generic");
	refused(HV_EOPNOTSUPP, "version");
	begin(IN_SEGMENT, 0);
	note_text(XEN_ELFNOTE_LOADER, "generic");
	note_text(XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
	refused(HV_EOPNOTSUPP, "version");
	image.bytes[4] = ELFCLASS32;
	refused(HV_ENOEXEC, "64-bit");
}

static void test_words_that_contradict_each_other_are_refused(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t val;
		const char *word;
	} bad[] = {
		{ XEN_ELFNOTE_PADDR_OFFSET, 0, "VIRT_BASE" },
		{ XEN_ELFNOTE_ENTRY, PADDR - 1, "entry" },
		{ XEN_ELFNOTE_ENTRY, PADDR + MEM, "entry" },
		{ XEN_ELFNOTE_INIT_P2M, PADDR, "p2m" },
		{ XEN_ELFNOTE_INIT_P2M, PADDR + MEM - 1, "p2m" },
		{ XEN_ELFNOTE_VIRT_BASE, 0 - (uint64_t)PADDR, "addresses" },
		{ XEN_ELFNOTE_VIRT_BASE, 0 - (uint64_t)PADDR - MEM + 1, "addresses" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(IN_SEGMENT, 0);
		needed_notes();
		note_number(bad[i].type, bad[i].val);
		refused(HV_EINVAL, bad[i].word);
	}
	begin(IN_SEGMENT, 0);
	needed_notes();
	note_number(XEN_ELFNOTE_VIRT_BASE, 0);
	note_number(XEN_ELFNOTE_PADDR_OFFSET, PADDR + 1);
	refused(HV_EINVAL, "memory");
	begin(IN_SEGMENT, 0);
	needed_notes();
	program_header(0)->p_memsz = 1ULL << 40;
	refused(HV_EINVAL, "memory");
}

static void test_note_sections_that_lie_are_refused(void **state)
{
	begin(IN_SECTION, 0);
	needed_notes();
	section(1)->sh_size = FILE_LEN;
	refused(HV_EINVAL, "truncated");
	section(1)->sh_size = image.words_len - 1;
	refused(HV_EINVAL, "beyond its end");
	/* section headers that are not there are none */
	header()->e_shoff = ~0ULL;
	refused(HV_EOPNOTSUPP, "neither");
	header()->e_shoff = SECTIONS;
	header()->e_shentsize = 1;
	refused(HV_EOPNOTSUPP, "neither");
	begin(IN_STRING, 0);
	words("LOADER=generic,XEN_VER=xen-3.0");
	header()->e_shstrndx = 77;
	refused(HV_EOPNOTSUPP, "neither");
	header()->e_shstrndx = 2;
	section(1)->sh_offset = ~0ULL;
	refused(HV_EOPNOTSUPP, "neither");
}

static void test_random_damage_is_survived(void **state)
{
	unsigned int seed = 20261129;

	for (int round = 0; round < 60000; round++) {
		const char *why = NULL;
		struct xen_image x;

		begin(round % 3, 0xffffffff80000000);
		if (image.place == IN_STRING)
			words("LOADER=generic,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,HYPERCALL_PAGE=0x100");
		else
			needed_notes();
		note_number(XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000);
		for (int k = 0; k < 1 + round % 4; k++)
			image.bytes[rand_r(&seed) % (WORDS + 128)] = (uint8_t)rand_r(&seed);
		if (parse(&x, &why)) {
			assert_non_null(why);
			continue;
		}
		assert_true(x.start < x.end && x.end <= 1ULL << 40);
		assert_true(x.entry - x.virt_base >= x.start && x.entry - x.virt_base < x.end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_note_is_read),
		cmocka_unit_test(test_what_is_left_out_has_its_meaning),
		cmocka_unit_test(test_sections_are_read_only_when_no_segment_has_notes_of_xen),
		cmocka_unit_test(test_the_guest_string_is_the_last_resort),
		cmocka_unit_test(test_a_string_that_does_not_end_is_cut_at_its_section),
		cmocka_unit_test(test_kernels_not_made_for_this_interface_are_told_why),
		cmocka_unit_test(test_words_that_contradict_each_other_are_refused),
		cmocka_unit_test(test_note_sections_that_lie_are_refused),
		cmocka_unit_test(test_random_damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
