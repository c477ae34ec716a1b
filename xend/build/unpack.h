/* SPDX-License-Identifier: MIT */
/*
 * unpack.h - from a kernel file as distributions ship it to the ELF image inside.
 *
 * Pure: bytes in, bytes out. Understands Linux bzImage (boot protocol 2.08 and later) with a
 * gzip, bzip2, xz, lzma, lzo, lz4 or zstd payload, an ELF file as it is, and one packed with gzip.
 * Source: Linux Documentation/arch/x86/boot.rst for the header's fields.
 */
#ifndef XEND_UNPACK_H
#define XEND_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* No kernel unpacks to more. */
#define UNPACK_MAX (256u << 20)
/* What a decoder takes beside its input and output, at most. */
#define UNPACK_SCRATCH (160ull << 20)

/* Where the image goes. */
struct unpack_to {
	uint8_t *(*room)(void *arg, size_t len);	/* asked once; NULL: there is none */
	void *arg;
	size_t max;			/* what the header promises is compared with it before that */
};

/*
 * Finds the kernel in the untrusted bytes @file and writes it to the room asked for, all of it. 0,
 * or
 *  -ENOEXEC  neither a bzImage nor ELF
 *  -ERANGE   the file ends before what its header promises
 *  -ENOTSUP  a compression that is not known
 *  -EFBIG    would unpack to more than @to->max
 *  -EBADMSG  the compressed data is damaged
 *  -ENOMEM   no room, or the decoder wants more than UNPACK_SCRATCH
 */
int unpack_kernel(const struct unpack_to *to, const void *file, size_t len);

/* One line in the user's words for an error of unpack_kernel(), or of the process it ran in. */
const char *unpack_strerror(int err);

#endif
