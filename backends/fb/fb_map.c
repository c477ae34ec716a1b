/* SPDX-License-Identifier: MIT */
/* fb_map.c - see fb_map.h. */
#include "fb_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenforeignmemory.h>

struct fb_map {
	xenforeignmemory_handle *foreign;
	uint32_t domid;
};

static size_t pages(uint32_t bytes)
{
	return ((size_t)bytes + FB_PAGE - 1) / FB_PAGE;
}

struct fb_map *fb_map_open(uint32_t domid)
{
	struct fb_map *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return NULL;
	m->domid = domid;
	m->foreign = xenforeignmemory_open(NULL, 0);
	if (m->foreign && xenforeignmemory_restrict(m->foreign, (domid_t)domid) == 0)
		return m;
	err = errno;
	fb_map_close(m);
	errno = err;
	return NULL;
}

/* Each frame or none. */
static void *map(struct fb_map *m, int prot, const xen_pfn_t *gfns, size_t nr)
{
	return xenforeignmemory_map(m->foreign, m->domid, prot, nr, gfns, NULL);
}

struct xenfb_page *fb_map_page(struct fb_map *m, uint64_t gfn)
{
	const xen_pfn_t number = gfn;

	return map(m, PROT_READ | PROT_WRITE, &number, 1);
}

void fb_map_page_end(struct fb_map *m, struct xenfb_page *page)
{
	xenforeignmemory_unmap(m->foreign, page, 1);
}

/* The directory's pages of numbers, copied: the guest may change them while they are mapped. */
static xen_pfn_t *read_numbers(struct fb_map *m, const struct xenfb_page *page, size_t nr)
{
	size_t nr_dirs = (nr + FB_PER_PAGE - 1) / FB_PER_PAGE;
	xen_pfn_t *numbers = malloc(nr_dirs * FB_PAGE), dirs[FB_MEMORY_MAX / FB_PAGE / FB_PER_PAGE];
	void *from;

	_Static_assert(sizeof(page->pd[0]) == sizeof(dirs[0]), "a 64-bit guest's numbers");
	_Static_assert(sizeof(dirs) <= sizeof(page->pd), "the directory has room for them");
	if (!numbers)
		return NULL;
	memcpy(dirs, page->pd, nr_dirs * sizeof(dirs[0]));
	from = map(m, PROT_READ, dirs, nr_dirs);
	if (!from) {
		free(numbers);
		return NULL;
	}
	memcpy(numbers, from, nr_dirs * FB_PAGE);
	xenforeignmemory_unmap(m->foreign, from, nr_dirs);
	return numbers;
}

const uint8_t *fb_map_memory(struct fb_map *m, const struct xenfb_page *page, uint32_t bytes)
{
	size_t nr = pages(bytes);
	xen_pfn_t *numbers;
	void *memory;
	int err;

	if (nr == 0 || bytes > FB_MEMORY_MAX) {
		errno = EINVAL;
		return NULL;
	}
	numbers = read_numbers(m, page, nr);
	if (!numbers)
		return NULL;
	memory = map(m, PROT_READ, numbers, nr);
	err = errno;
	free(numbers);
	errno = err;
	return memory;
}

void fb_map_memory_end(struct fb_map *m, const uint8_t *memory, uint32_t bytes)
{
	xenforeignmemory_unmap(m->foreign, (void *)(uintptr_t)memory, pages(bytes));
}

void fb_map_close(struct fb_map *m)
{
	if (m->foreign)
		xenforeignmemory_close(m->foreign);
	free(m);
}
