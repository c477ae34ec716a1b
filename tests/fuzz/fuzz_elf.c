/* SPDX-License-Identifier: MIT */
/*
 * fuzz_elf.c - any bytes as dom0's kernel: what the reader accepts lies inside the file, and the
 * memory planned for it holds it.
 */
#include <string.h>

#include "fuzz.h"

#include "boot/dom0_layout.h"
#include "lib/elf.h"

#define INITRD_LEN (5u << 20)
#define NR_PAGES (64u << 8)

static void check_image(const struct elf_image *img)
{
	FUZZ_CHECK(img->nr_segments >= 1 && img->nr_segments <= ELF_MAX_SEGMENTS);
	for (unsigned int i = 0; i < img->nr_segments; i++) {
		const struct elf_segment *s = &img->segment[i];

		FUZZ_CHECK(s->file_offset <= img->len && s->file_size <= img->len - s->file_offset);
		FUZZ_CHECK(s->file_size <= s->mem_size);
		FUZZ_CHECK(s->paddr >= img->paddr_start);
		FUZZ_CHECK(s->paddr + s->mem_size <= img->paddr_end);
		FUZZ_CHECK(s->vaddr + s->mem_size >= s->vaddr);
	}
	FUZZ_CHECK(memchr(img->guest_os, 0, sizeof(img->guest_os)) != NULL);
	FUZZ_CHECK(memchr(img->features, 0, sizeof(img->features)) != NULL);
}

static void check_layout(const struct dom0_layout *l, u64 kernel_end)
{
	FUZZ_CHECK(l->start_info_pfn << PAGE_SHIFT >= kernel_end);
	FUZZ_CHECK(l->pt_pfn > l->start_info_pfn);
	FUZZ_CHECK(l->stack_pfn == l->pt_pfn + l->nr_pt && l->mapped_end_pfn > l->stack_pfn);
	FUZZ_CHECK((l->nr_pt - 3) * 512 >= l->mapped_end_pfn);
	FUZZ_CHECK(l->initrd_pfn >= l->mapped_end_pfn);
	FUZZ_CHECK(l->p2m_pfn >= l->initrd_pfn + l->nr_initrd);
	FUZZ_CHECK(l->p2m_pt_pfn >= l->p2m_pfn + l->nr_p2m);
	FUZZ_CHECK(l->end_pfn >= l->p2m_pt_pfn + l->nr_p2m_pt && l->end_pfn <= NR_PAGES);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	/* exactly as long as it is: the sanitizer sees every byte read beyond it */
	uint8_t *copy = malloc(size ? size : 1);
	const char *reason = NULL;
	struct dom0_layout layout;
	struct elf_image img;
	int rc;

	memcpy(copy, data, size);
	rc = elf_parse(&img, copy, size, &reason);
	FUZZ_CHECK(rc == 0 || reason);
	if (!rc) {
		check_image(&img);
		if (!dom0_layout_compute(&layout, img.paddr_end, INITRD_LEN, NR_PAGES))
			check_layout(&layout, img.paddr_end);
	}
	free(copy);
	return 0;
}
