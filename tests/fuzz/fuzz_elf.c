/* SPDX-License-Identifier: MIT */
/*
 * fuzz_elf.c - any bytes as dom0's kernel: what the reader accepts lies inside the file, and the
 * memory planned for it holds it.
 */
#include <string.h>

#include "fuzz.h"

#include "lib/pv_layout.h"

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
}

static void check_layout(const struct pv_layout *l, const struct xen_image *x)
{
	const struct pv_area *run[] = { &l->kernel, &l->initrd, &l->p2m, &l->start_info, &l->tables,
					&l->stack };

	FUZZ_CHECK(l->kernel.pfn + l->kernel.nr >= PFN_UP(x->end));
	FUZZ_CHECK(l->range[0].pfn == 0 && l->range[0].nr > l->stack.pfn);
	for (size_t i = 0; i < ARRAY_SIZE(run); i++) {
		FUZZ_CHECK(run[i]->pfn + run[i]->nr <= NR_PAGES);
		for (size_t j = 0; j < i; j++)
			FUZZ_CHECK(!run[i]->nr || !run[j]->nr ||
				   run[i]->pfn >= run[j]->pfn + run[j]->nr ||
				   run[j]->pfn >= run[i]->pfn + run[i]->nr);
	}
}

static void check_words(const struct xen_image *x)
{
	FUZZ_CHECK(memchr(x->guest_os, 0, sizeof(x->guest_os)) != NULL);
	FUZZ_CHECK(memchr(x->features, 0, sizeof(x->features)) != NULL);
	FUZZ_CHECK(x->start <= x->end && x->end <= 1ULL << 40);
	FUZZ_CHECK(x->entry - x->virt_base >= x->start && x->entry - x->virt_base < x->end);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	/* exactly as long as it is: the sanitizer sees every byte read beyond it */
	uint8_t *copy = malloc(size ? size : 1);
	struct pv_wish wish = { .nr_pages = NR_PAGES, .initrd_len = INITRD_LEN };
	const char *reason = NULL;
	struct pv_layout layout;
	struct xen_image x;
	u64 needed;
	int rc;

	memcpy(copy, data, size);
	rc = xen_image_parse(&x, copy, size, &reason);
	FUZZ_CHECK(rc == 0 || reason);
	if (!rc) {
		check_image(&x.elf);
		check_words(&x);
		if (!pv_layout_plan(&layout, &x, &wish, &needed))
			check_layout(&layout, &x);
	}
	free(copy);
	return 0;
}
