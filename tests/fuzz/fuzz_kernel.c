/* SPDX-License-Identifier: MIT */
/*
 * fuzz_kernel.c - any bytes as a guest's kernel file, as xend takes it: unpacked, parsed, laid out
 * and written into a small guest's memory. Nothing is read outside the file, and nothing is written
 * outside the guest.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "pv_image.h"
#include "unpack.h"

#define GUEST_PAGES 1024u /* a window may be as large */
#define INITRD_LEN 5000u

static uint8_t *memory;

static void *ram_map(struct guest_ram *ram, uint64_t pfn, size_t nr)
{
	FUZZ_CHECK(nr && nr <= GUEST_WINDOW_PAGES);
	FUZZ_CHECK(pfn < ram->nr_pages && nr <= ram->nr_pages - pfn);
	return memory + pfn * GUEST_PAGE_SIZE;
}

static void ram_unmap(struct guest_ram *ram, void *window, size_t nr)
{
	size_t at = (size_t)((uint8_t *)window - memory) / GUEST_PAGE_SIZE;

	FUZZ_CHECK(at < ram->nr_pages && nr <= ram->nr_pages - at);
}

static void check_elf(const struct elf_image *elf)
{
	FUZZ_CHECK(elf->nr_segments >= 1 && elf->nr_segments <= ELF_MAX_SEGMENTS);
	FUZZ_CHECK(elf->paddr_start <= elf->paddr_end);
	for (unsigned int i = 0; i < elf->nr_segments; i++) {
		const struct elf_segment *s = &elf->segment[i];

		FUZZ_CHECK(s->file_offset <= elf->len && s->file_size <= elf->len - s->file_offset);
		FUZZ_CHECK(s->file_size <= s->mem_size);
		FUZZ_CHECK(s->paddr >= elf->paddr_start && s->paddr + s->mem_size <= elf->paddr_end);
	}
}

/* A plan that was made can be carried out. */
static void build(const struct xen_image *image)
{
	static const uint8_t initrd[INITRD_LEN];
	static uint64_t p2m[GUEST_PAGES];
	struct guest_ram ram = { .p2m = p2m, .nr_pages = GUEST_PAGES, .map = ram_map,
				 .unmap = ram_unmap };
	struct pv_start start = { .shared_info_mfn = 7, .store_port = 1, .console_port = 2,
				  .cmdline = "root=/dev/xvda" };
	struct pv_wish wish = { .nr_pages = GUEST_PAGES, .initrd_len = INITRD_LEN, .has_rings = true };
	struct pv_layout l;
	uint64_t needed = 0;
	int err = pv_layout_plan(&l, image, &wish, &needed);

	FUZZ_CHECK(err == 0 || err == -EINVAL || (err == -ENOMEM && needed > GUEST_PAGES));
	if (err)
		return;
	for (unsigned int i = 0; i < GUEST_PAGES; i++)
		p2m[i] = 1000 + i;
	memory = calloc(GUEST_PAGES, GUEST_PAGE_SIZE);
	FUZZ_CHECK(pv_image_load_kernel(&l, &image->elf, &ram) == 0);
	FUZZ_CHECK(pv_image_load_initrd(&l, 0, initrd, INITRD_LEN, &ram) == 0);
	FUZZ_CHECK(pv_image_write_p2m(&l, &ram) == 0);
	FUZZ_CHECK(pv_image_write_tables(&l, &ram) == 0);
	FUZZ_CHECK(pv_image_write_start_info(&l, &start, &ram) == 0);
	free(memory);
}

struct kernel {
	uint8_t *image;
	size_t len;
};

static uint8_t *room(void *arg, size_t len)
{
	struct kernel *k = arg;

	FUZZ_CHECK(!k->image);
	k->image = malloc(len ? len : 1);
	k->len = len;
	return k->image;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct kernel kernel = { 0 };
	const struct unpack_to to = { room, &kernel, UNPACK_MAX };
	struct xen_image image;
	const char *reason = NULL;

	memcpy(copy, data, size);
	if (unpack_kernel(&to, copy, size) == 0) {
		FUZZ_CHECK(kernel.len <= UNPACK_MAX);
		if (xen_image_parse(&image, kernel.image, kernel.len, &reason) == 0) {
			check_elf(&image.elf);
			build(&image);
		}
	}
	free(kernel.image);
	free(copy);
	return 0;
}
