/* SPDX-License-Identifier: MIT */
/*
 * test_elf64.c - what the ELF reader believes and what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf64.h"
#include "make_elf.h"

static void test_notes_of_a_linux_kernel_are_read(void **state)
{
	struct elf64 elf;
	size_t len;
	uint8_t *image = make_elf(&make_elf_linux, &len);

	assert_int_equal(elf64_parse(&elf, image, len), 0);

	assert_string_equal(elf.guest_os, "test");
	assert_true(elf.virt_base == make_elf_linux.vbase);
	assert_true(elf.init_p2m == make_elf_linux.init_p2m);
	assert_true(elf.entry == make_elf_linux.vbase + make_elf_linux.paddr + 0x1c0);
	assert_true(elf.mod_start_pfn);
	assert_true(elf.hypercall_page == ELF64_ADDR_UNSET);
	assert_int_equal(elf.pstart, make_elf_linux.paddr);
	assert_int_equal(elf.pend, make_elf_linux.paddr + make_elf_linux.memsz);
	free(image);
}

static void test_notes_in_a_section_are_found_when_no_segment_has_them(void **state)
{
	struct make_elf m = make_elf_grub;
	struct elf64 elf;
	size_t len;
	uint8_t *image;

	m.notes_in_section = true;
	image = make_elf(&m, &len);
	assert_int_equal(elf64_parse(&elf, image, len), 0);
	assert_true(elf.hypercall_page == m.hypercall_page);
	assert_false(elf.mod_start_pfn);
	free(image);
}

static void test_a_kernel_without_xen_notes_is_told_apart_from_a_broken_one(void **state)
{
	struct make_elf m = make_elf_linux;
	struct elf64 elf;
	size_t len;
	uint8_t *image;

	m.no_notes = true;
	image = make_elf(&m, &len);
	assert_int_equal(elf64_parse(&elf, image, len), -ENOTSUP);
	image[4] = ELFCLASS32;
	assert_int_equal(elf64_parse(&elf, image, len), -ENOEXEC);
	free(image);
}

static void test_every_truncation_is_refused(void **state)
{
	struct elf64 elf;
	size_t len;
	uint8_t *image = make_elf(&make_elf_linux, &len);

	for (size_t cut = 0; cut < len; cut += cut < 2048 ? 1 : 997) {
		/* An exact allocation: a read past it is an ASan report. */
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, image, cut);
		assert_int_not_equal(elf64_parse(&elf, part, cut), 0);
		free(part);
	}
	free(image);
}

static void test_segments_that_lie_are_refused(void **state)
{
	static const struct { size_t field; uint64_t value; int err; } lies[] = {
		{ offsetof(Elf64_Phdr, p_offset), UINT64_MAX - 8, -ERANGE },
		{ offsetof(Elf64_Phdr, p_filesz), UINT64_MAX, -ERANGE },
		{ offsetof(Elf64_Phdr, p_memsz), 1, -EINVAL },
		{ offsetof(Elf64_Phdr, p_memsz), UINT64_MAX, -EINVAL },
		{ offsetof(Elf64_Phdr, p_paddr), UINT64_MAX - 4096, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct elf64 elf;
		size_t len;
		uint8_t *image = make_elf(&make_elf_linux, &len);

		memcpy(image + sizeof(Elf64_Ehdr) + lies[i].field, &lies[i].value, 8);
		assert_int_equal(elf64_parse(&elf, image, len), lies[i].err);
		free(image);
	}
}

/* Any bytes in the headers and notes: an answer, segments inside the file, no wild read. */
static void test_random_damage_never_escapes_the_file(void **state)
{
	size_t len;
	uint8_t *image = make_elf(&make_elf_linux, &len);
	uint8_t *copy = malloc(len);
	unsigned int seed = 20260101;

	for (int round = 0; round < 20000; round++) {
		struct elf64 elf;
		int n = 1 + rand_r(&seed) % 6;

		memcpy(copy, image, len);
		while (n--) {
			size_t at = rand_r(&seed) % 3 ? (size_t)rand_r(&seed) % 200 :
							1024 + (size_t)rand_r(&seed) % 256;

			copy[at] = (uint8_t)rand_r(&seed);
		}
		if (elf64_parse(&elf, copy, len))
			continue;
		for (unsigned int i = 0; i < elf.nr_segments; i++) {
			const struct elf64_segment *s = &elf.segment[i];

			assert_true(s->offset <= len && s->filesz <= len - s->offset);
			assert_true(s->filesz <= s->memsz);
			assert_true(s->paddr >= elf.pstart && s->paddr + s->memsz <= elf.pend);
		}
	}
	free(copy);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes_of_a_linux_kernel_are_read),
		cmocka_unit_test(test_notes_in_a_section_are_found_when_no_segment_has_them),
		cmocka_unit_test(test_a_kernel_without_xen_notes_is_told_apart_from_a_broken_one),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_segments_that_lie_are_refused),
		cmocka_unit_test(test_random_damage_never_escapes_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
