/* SPDX-License-Identifier: MIT */
/*
 * unpack.h - from a kernel file as distributions ship it to the ELF image inside.
 *
 * Pure: bytes in, bytes out. Understands Linux bzImage (boot protocol 2.08 and later) with a
 * gzip, xz, lzma, lz4 or zstd payload, and an ELF file as it is.
 * Source: Linux Documentation/arch/x86/boot.rst for the header's fields.
 */
#ifndef XEND_UNPACK_H
#define XEND_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* No kernel unpacks to more: the size field is checked against it before any allocation. */
#define UNPACK_MAX (256u << 20)

/* An unpacked image; @owned is what unpack_free() releases (NULL: @image borrows the input). */
struct unpacked {
	const uint8_t *image;
	size_t len;
	uint8_t *owned;
};

/*
 * Finds the kernel in the untrusted bytes @file. 0, or
 *  -ENOEXEC  neither a bzImage nor ELF
 *  -ERANGE   the file ends before what its header promises
 *  -ENOTSUP  a compression that is not known
 *  -EFBIG    would unpack to more than UNPACK_MAX
 *  -EBADMSG  the compressed data is damaged
 *  -ENOMEM
 */
int unpack_kernel(struct unpacked *out, const void *file, size_t len);

void unpack_free(struct unpacked *out);

/* One line in the user's words for an error of unpack_kernel(). */
const char *unpack_strerror(int err);

#endif
