/* SPDX-License-Identifier: MIT */
/*
 * guest_ram.c - copies into a domain's memory through bounded windows.
 *
 * Owns the range check of every byte the builder writes. Not: how frames are mapped.
 */
#include "guest_ram.h"

#include <errno.h>
#include <string.h>

static int fill(struct guest_ram *ram, uint64_t paddr, const uint8_t *data, uint64_t len)
{
	uint64_t size = ram->nr_pages * GUEST_PAGE_SIZE;

	if (paddr > size || len > size - paddr)
		return -ERANGE;
	while (len) {
		uint64_t off = paddr % GUEST_PAGE_SIZE;
		uint64_t n = (uint64_t)GUEST_WINDOW_PAGES * GUEST_PAGE_SIZE - off;
		size_t nr;
		uint8_t *w;

		if (n > len)
			n = len;
		nr = (off + n + GUEST_PAGE_SIZE - 1) / GUEST_PAGE_SIZE;
		w = ram->map(ram, paddr / GUEST_PAGE_SIZE, nr);
		if (!w)
			return errno ? -errno : -EFAULT;
		if (data) {
			memcpy(w + off, data, n);
			data += n;
		} else {
			memset(w + off, 0, n);
		}
		ram->unmap(ram, w, nr);
		paddr += n;
		len -= n;
	}
	return 0;
}

int guest_ram_write(struct guest_ram *ram, uint64_t paddr, const void *data, size_t len)
{
	return fill(ram, paddr, data, len);
}

int guest_ram_zero(struct guest_ram *ram, uint64_t paddr, uint64_t len)
{
	return fill(ram, paddr, NULL, len);
}
