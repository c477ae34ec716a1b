/* SPDX-License-Identifier: MIT */
/*
 * unpack.c - bzImage payloads and their compressions.
 *
 * Every payload ends with its unpacked size (4 bytes, little endian), which Linux's build
 * appends, or which is gzip's own last field: the output buffer is that large and the stream must
 * fill it exactly, so a bomb can not grow and a truncated stream can not pass.
 * Source: Linux boot protocol; the LZ4 frame document for the legacy frame; RFC 1952; lzop's format
 * as the kernel's build writes it.
 */
#include "unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "lzo1x.h"

/* What a decoder of LZMA may take: the largest dictionary of Linux's build is 128 MiB. */
#define LZMA_MEMORY (144ull << 20)

struct span {
	const uint8_t *p;
	size_t len;
};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static int un_gzip(struct span in, uint8_t *out, size_t out_len)
{
	z_stream z = { .next_in = (uint8_t *)in.p, .avail_in = (uInt)in.len,
		       .next_out = out, .avail_out = (uInt)out_len };
	int rc;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return -ENOMEM;
	return rc == Z_STREAM_END && z.avail_out == 0 ? 0 : -EBADMSG;
}

static int un_bzip2(struct span in, uint8_t *out, size_t out_len)
{
	bz_stream b = { .next_in = (char *)in.p, .avail_in = (unsigned int)in.len,
			.next_out = (char *)out, .avail_out = (unsigned int)out_len };
	char spare;
	int rc;

	if (BZ2_bzDecompressInit(&b, 0, 0) != BZ_OK)
		return -ENOMEM;
	rc = BZ2_bzDecompress(&b);
	if (rc == BZ_OK && b.avail_out == 0) {
		/* Full: only the end mark may follow. */
		b.next_out = &spare;
		b.avail_out = 1;
		rc = BZ2_bzDecompress(&b);
		if (b.avail_out == 0)
			rc = BZ_DATA_ERROR;
		b.avail_out = 0;
	}
	BZ2_bzDecompressEnd(&b);
	if (rc == BZ_MEM_ERROR)
		return -ENOMEM;
	return rc == BZ_STREAM_END && b.avail_out == 0 ? 0 : -EBADMSG;
}

static int run_lzma(lzma_stream *s, struct span in, uint8_t *out, size_t out_len)
{
	uint8_t spare;
	lzma_ret rc;
	bool full;

	s->next_in = in.p;
	s->avail_in = in.len;
	s->next_out = out;
	s->avail_out = out_len;
	rc = lzma_code(s, LZMA_FINISH);
	if (rc == LZMA_OK && s->avail_out == 0) {
		/* Full: only the end mark may follow. */
		s->next_out = &spare;
		s->avail_out = 1;
		rc = lzma_code(s, LZMA_FINISH);
		full = rc == LZMA_STREAM_END && s->avail_out == 1;
	} else {
		full = rc == LZMA_STREAM_END && s->avail_out == 0;
	}
	lzma_end(s);
	if (rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR)
		return -ENOMEM;
	return full ? 0 : -EBADMSG;
}

static int un_xz(struct span in, uint8_t *out, size_t out_len)
{
	lzma_stream s = LZMA_STREAM_INIT;

	if (lzma_stream_decoder(&s, LZMA_MEMORY, 0) != LZMA_OK)
		return -ENOMEM;
	return run_lzma(&s, in, out, out_len);
}

static int un_lzma(struct span in, uint8_t *out, size_t out_len)
{
	lzma_stream s = LZMA_STREAM_INIT;

	if (lzma_alone_decoder(&s, LZMA_MEMORY) != LZMA_OK)
		return -ENOMEM;
	return run_lzma(&s, in, out, out_len);
}

/* The legacy frame: a magic word, then blocks, each led by its packed length. */
static int un_lz4(struct span in, uint8_t *out, size_t out_len)
{
	size_t pos = 4, done = 0;

	while (done < out_len) {
		uint32_t packed;
		size_t room = out_len - done;
		int n;

		if (in.len - pos < 4)
			return -EBADMSG;
		packed = le32(in.p + pos);
		pos += 4;
		if (packed > in.len - pos || packed > INT32_MAX)
			return -EBADMSG;
		n = LZ4_decompress_safe((const char *)in.p + pos, (char *)out + done, (int)packed,
					(int)room);
		if (n <= 0)
			return -EBADMSG;
		pos += packed;
		done += (size_t)n;
	}
	return 0;
}

static int un_zstd(struct span in, uint8_t *out, size_t out_len)
{
	size_t n = ZSTD_decompress(out, out_len, in.p, in.len);

	return !ZSTD_isError(n) && n == out_len ? 0 : -EBADMSG;
}

/* --- lzop --- */

enum {
	LZOP_FLAGS = 17,		/* where: behind magic, three versions, method, level */
	LZOP_NAME = LZOP_FLAGS + 4 + 12,	/* its length: behind mode and time */
	LZOP_VERSION = 0x0940,		/* what was written before had another header */
	LZOP_FILTERED = 0x800,
	LZOP_SUMS = 0x303,		/* of any kind, of unpacked and packed bytes */
	LZOP_EXTRA = 0x40,
};

/* Behind the header; 0: cut off, or of a kind that is not known. */
static size_t lzop_header(struct span in, uint32_t *flags)
{
	size_t at;

	if (in.len <= LZOP_NAME || (in.p[9] << 8 | in.p[10]) < LZOP_VERSION)
		return 0;
	*flags = be32(in.p + LZOP_FLAGS);
	at = LZOP_NAME + 1 + in.p[LZOP_NAME] + 4;	/* name, check sum */
	return at < in.len && !(*flags & (LZOP_FILTERED | LZOP_EXTRA)) ? at : 0;
}

/* The sums of one block: of what is unpacked, and of what is packed where that is less. */
static size_t lzop_sums(uint32_t flags, bool packed)
{
	size_t n = 0;

	for (uint32_t bit = 1; bit <= 0x200; bit <<= 1) {
		if (flags & bit & (packed ? LZOP_SUMS : 0x101))
			n += 4;
	}
	return n;
}

/* Blocks, each led by its two lengths; a length of 0 is the end. */
static int un_lzo(struct span in, uint8_t *out, size_t out_len)
{
	uint32_t flags = 0;
	size_t pos = lzop_header(in, &flags), done = 0;

	while (pos && in.len - pos >= 4 && be32(in.p + pos)) {
		uint32_t size = be32(in.p + pos), packed;

		if (in.len - pos < 8 || size > out_len - done)
			return -EBADMSG;
		packed = be32(in.p + pos + 4);
		pos += 8;
		if (lzop_sums(flags, packed < size) > in.len - pos)
			return -EBADMSG;
		pos += lzop_sums(flags, packed < size);
		if (!packed || packed > size || packed > in.len - pos)
			return -EBADMSG;
		if (packed == size)
			memcpy(out + done, in.p + pos, size);
		else if (lzo1x_unpack(in.p + pos, packed, out + done, size))
			return -EBADMSG;
		pos += packed;
		done += size;
	}
	return pos && in.len - pos >= 4 && done == out_len ? 0 : -EBADMSG;
}

/* --- finding it --- */

static const struct method {
	const char *magic;
	size_t magic_len;
	int (*unpack)(struct span in, uint8_t *out, size_t out_len);
	bool own_size;			/* its last 4 bytes are its own, and the size */
} methods[] = {
	{ "\x1f\x8b", 2, un_gzip, true },
	{ "BZh", 3, un_bzip2 },
	{ "\xfd" "7zXZ\0", 6, un_xz },
	{ "\x89LZO\0\r\n\x1a\n", 9, un_lzo },
	{ "\x02\x21\x4c\x18", 4, un_lz4 },
	{ "\x28\xb5\x2f\xfd", 4, un_zstd },
	{ "\x5d\x00\x00", 3, un_lzma },
};

static const struct method *find_method(struct span in)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const struct method *m = &methods[i];

		if (in.len > m->magic_len && !memcmp(in.p, m->magic, m->magic_len))
			return m;
	}
	return NULL;
}

static int unpack_payload(const struct unpack_to *to, struct span in)
{
	const struct method *m = find_method(in);
	uint32_t size;
	uint8_t *out;

	if (!m)
		return -ENOTSUP;
	if (in.len < 8)
		return -ERANGE;
	size = le32(in.p + in.len - 4);
	if (!m->own_size)
		in.len -= 4;
	if (size > to->max)
		return -EFBIG;
	if (size == 0)
		return -EBADMSG;
	out = to->room(to->arg, size);
	return out ? m->unpack(in, out, size) : -ENOMEM;
}

enum {
	OFF_SETUP_SECTS = 0x1f1,
	OFF_MAGIC = 0x202,
	OFF_VERSION = 0x206,
	OFF_PAYLOAD_OFFSET = 0x248,
	OFF_PAYLOAD_LENGTH = 0x24c,
	HEADER_END = 0x250,
	FIRST_PAYLOAD_VERSION = 0x208,
};

static int bzimage_payload(struct span *payload, const uint8_t *file, size_t len)
{
	unsigned int sects = file[OFF_SETUP_SECTS] ? file[OFF_SETUP_SECTS] : 4;
	uint64_t start = (sects + 1) * 512ULL + le32(file + OFF_PAYLOAD_OFFSET);
	uint64_t n = le32(file + OFF_PAYLOAD_LENGTH);

	if (le16(file + OFF_VERSION) < FIRST_PAYLOAD_VERSION)
		return -ENOTSUP;
	if (start > len || n > len - start)
		return -ERANGE;
	*payload = (struct span){ file + start, n };
	return 0;
}

static int copy_elf(const struct unpack_to *to, const uint8_t *file, size_t len)
{
	uint8_t *out = to->room(to->arg, len);

	if (!out)
		return -ENOMEM;
	memcpy(out, file, len);
	return 0;
}

int unpack_kernel(const struct unpack_to *to, const void *file, size_t len)
{
	const uint8_t *p = file;
	struct span payload = { p, len };
	int err;

	if (len >= 4 && !memcmp(p, "\x7f" "ELF", 4))
		return copy_elf(to, p, len);
	if (len >= 2 && !memcmp(p, methods[0].magic, 2))
		return unpack_payload(to, payload);
	if (len < OFF_MAGIC + 4 || memcmp(p + OFF_MAGIC, "HdrS", 4))
		return -ENOEXEC;
	if (len < HEADER_END)
		return -ERANGE;
	err = bzimage_payload(&payload, p, len);
	return err ? err : unpack_payload(to, payload);
}

const char *unpack_strerror(int err)
{
	switch (err) {
	case -ENOEXEC:
		return "is neither a Linux bzImage nor an ELF kernel";
	case -ERANGE:
		return "is truncated";
	case -ENOTSUP:
		return "is packed in a way that is not known (gzip, bzip2, xz, lzma, lzo, lz4 and "
		       "zstd are)";
	case -EFBIG:
		return "would unpack to more than 256 MiB, or than the domain has: raise memory=";
	case -EBADMSG:
		return "is damaged or truncated: it does not unpack";
	case -EAGAIN:
		return "could not be unpacked: the process that did it was killed";
	default:
		return "could not be unpacked: what does it could not be started, or had not the "
		       "memory that dom0 gives for it";
	}
}
