/* SPDX-License-Identifier: MIT */
/*
 * fuzz_bzimage.c - any bytes as the module dom0's kernel comes in: unpacked without a byte read
 * outside the file or written outside the memory taken for it; or refused, and that memory is given
 * back.
 */
#include <string.h>

#include "fuzz.h"

#include "boot/boot.h"
#include "unpack_heap.h"

int fuzz_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	size_t len = 0;
	void *out = NULL;
	int order = 0;

	memcpy(copy, data, size);
	unpack_heap_reset();
	if (kernel_unpack(copy, size, &out, &len, &order) == 0) {
		FUZZ_CHECK(order >= 0 || (out == copy && len == size));
		FUZZ_CHECK(order < 0 || (len && len <= (size_t)PAGE_SIZE << order));
		kernel_unpack_free(out, order);
	}
	FUZZ_CHECK(unpack_heap_is_sound());
	FUZZ_CHECK(unpack_heap_frees == unpack_heap_allocs);
	free(copy);
	return 0;
}
