/* SPDX-License-Identifier: MIT */
/* test_elf.c - the ELF reader takes kernels as they are and survives everything else. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xen/elfnote.h>

#include "lib/elf.h"

#define HV_ENOEXEC 8
#define HV_EINVAL 22
#define NOTE_OFFSET 512

/* A small kernel: one segment, one note segment. */
struct image {
	uint8_t bytes[1024];
	size_t len, notes_end;
};

static Elf64_Ehdr *header(struct image *im)
{
	return (Elf64_Ehdr *)im->bytes;
}

static Elf64_Phdr *program_header(struct image *im, int i)
{
	return (Elf64_Phdr *)(im->bytes + sizeof(Elf64_Ehdr)) + i;
}

static void add_note(struct image *im, uint32_t type, const void *desc, uint32_t len)
{
	Elf64_Nhdr n = { .n_namesz = 4, .n_descsz = len, .n_type = type };

	memcpy(im->bytes + im->notes_end, &n, sizeof(n));
	memcpy(im->bytes + im->notes_end + sizeof(n), "Xen", 4);
	memcpy(im->bytes + im->notes_end + sizeof(n) + 4, desc, len);
	im->notes_end += sizeof(n) + 4 + ((len + 3) & ~3u);
	program_header(im, 1)->p_filesz = im->notes_end - NOTE_OFFSET;
}

static struct image make_image(void)
{
	struct image im = { .len = sizeof(im.bytes), .notes_end = NOTE_OFFSET };
	uint64_t entry = 0xffffffff81001000, base = 0xffffffff80000000;

	memcpy(header(&im)->e_ident, "\177ELF\2\1\1", 7);
	header(&im)->e_machine = EM_X86_64;
	header(&im)->e_entry = 0x1001000;
	header(&im)->e_phoff = sizeof(Elf64_Ehdr);
	header(&im)->e_phentsize = sizeof(Elf64_Phdr);
	header(&im)->e_phnum = 2;
	*program_header(&im, 0) = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = 256,
		.p_vaddr = 0xffffffff81000000,
		.p_paddr = 0x1000000,
		.p_filesz = 100,
		.p_memsz = 0x3000,
	};
	*program_header(&im, 1) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NOTE_OFFSET };
	add_note(&im, XEN_ELFNOTE_ENTRY, &entry, 8);
	add_note(&im, XEN_ELFNOTE_VIRT_BASE, &base, 8);
	add_note(&im, XEN_ELFNOTE_GUEST_OS, "linux", 6);
	return im;
}

static unsigned int nr_seen;
static u64 entry_seen;

static void see(void *arg, u32 type, const u8 *desc, u32 len)
{
	nr_seen++;
	if (type == XEN_ELFNOTE_ENTRY && len == 8)
		memcpy(&entry_seen, desc, 8);
}

static int parse(const struct image *im, struct elf_image *out, const char **why)
{
	/* A copy of exactly the length: the sanitizer sees every byte read beyond it. */
	void *copy = malloc(im->len ? im->len : 1);
	int rc;

	memcpy(copy, im->bytes, im->len);
	rc = elf_parse(out, copy, im->len, why);
	if (!rc)
		rc = MIN(0, elf_segment_notes(out, "Xen", see, NULL, why));
	free(copy);
	return rc;
}

static void test_segments_and_notes_are_read(void **state)
{
	struct image im = make_image();
	struct elf_image e;
	const char *why;

	assert_int_equal(elf_parse(&e, im.bytes, im.len, &why), 0);
	assert_int_equal(e.entry, 0x1001000);
	assert_int_equal(e.nr_segments, 1);
	assert_int_equal(e.segment[0].mem_size, 0x3000);
	assert_int_equal(e.paddr_start, 0x1000000);
	assert_int_equal(e.paddr_end, 0x1003000);
	nr_seen = 0;
	assert_int_equal(elf_segment_notes(&e, "Xen", see, NULL, &why), 3);
	assert_int_equal(nr_seen, 3);
	assert_int_equal(entry_seen, 0xffffffff81001000);
	assert_int_equal(elf_segment_notes(&e, "Xenon", see, NULL, &why), 0);
	assert_int_equal(elf_section_notes(&e, "Xen", see, NULL, &why), 0);
}

static void test_a_file_cut_anywhere_is_refused_without_reading_beyond_it(void **state)
{
	struct image im = make_image();
	struct elf_image e;
	const char *why;

	for (im.len = 0; im.len < im.notes_end; im.len++)
		assert_true(parse(&im, &e, &why) < 0);
}

static void test_other_files_are_told_apart_from_broken_ones(void **state)
{
	struct image im = make_image();
	struct elf_image e;
	const char *why;

	im.bytes[0] = 'M';
	assert_int_equal(parse(&im, &e, &why), -HV_ENOEXEC);
	im = make_image();
	header(&im)->e_machine = EM_386;
	assert_int_equal(parse(&im, &e, &why), -HV_ENOEXEC);
	im = make_image();
	header(&im)->e_phoff = ~0ULL;
	assert_int_equal(parse(&im, &e, &why), -HV_EINVAL);
	assert_non_null(strstr(why, "program headers"));
}

static void test_impossible_segments_are_refused(void **state)
{
	static const Elf64_Phdr bad[] = {
		{ .p_type = PT_LOAD, .p_offset = ~0ULL - 10, .p_filesz = 100, .p_memsz = 100 },
		{ .p_type = PT_LOAD, .p_offset = 1000, .p_filesz = 100, .p_memsz = 100 },
		{ .p_type = PT_LOAD, .p_offset = 0, .p_filesz = 100, .p_memsz = 99 },
		{ .p_type = PT_LOAD, .p_paddr = ~0ULL - 10, .p_filesz = 10, .p_memsz = 100 },
		{ .p_type = PT_LOAD, .p_vaddr = ~0ULL - 10, .p_filesz = 10, .p_memsz = 100 },
	};
	struct elf_image e;
	const char *why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct image im = make_image();

		*program_header(&im, 0) = bad[i];
		assert_int_equal(parse(&im, &e, &why), -HV_EINVAL);
	}
}

static void test_a_note_longer_than_its_segment_is_refused(void **state)
{
	static const Elf64_Nhdr bad[] = {
		{ .n_namesz = ~0u, .n_descsz = 0 },
		{ .n_namesz = 4, .n_descsz = ~0u },
		{ .n_namesz = 4, .n_descsz = 1024 },
	};
	struct elf_image e;
	const char *why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct image im = make_image();

		memcpy(im.bytes + NOTE_OFFSET, &bad[i], sizeof(bad[i]));
		assert_int_equal(parse(&im, &e, &why), -HV_EINVAL);
		assert_non_null(strstr(why, "note"));
	}
}

static void test_random_damage_never_reads_outside_and_keeps_segments_inside(void **state)
{
	unsigned int seed = 20261122;

	for (int round = 0; round < 100000; round++) {
		struct image im = make_image();
		struct elf_image e;
		const char *why = NULL;

		for (int k = 0; k < 1 + round % 4; k++)
			im.bytes[rand_r(&seed) % im.notes_end] = (uint8_t)rand_r(&seed);
		if (parse(&im, &e, &why)) {
			assert_non_null(why);
			continue;
		}
		for (unsigned int i = 0; i < e.nr_segments; i++)
			assert_true(e.segment[i].file_offset <= im.len &&
				    e.segment[i].file_size <= im.len - e.segment[i].file_offset);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_and_notes_are_read),
		cmocka_unit_test(test_a_file_cut_anywhere_is_refused_without_reading_beyond_it),
		cmocka_unit_test(test_other_files_are_told_apart_from_broken_ones),
		cmocka_unit_test(test_impossible_segments_are_refused),
		cmocka_unit_test(test_a_note_longer_than_its_segment_is_refused),
		cmocka_unit_test(test_random_damage_never_reads_outside_and_keeps_segments_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
