/* SPDX-License-Identifier: MIT */
/*
 * unpack.c - bzImage payloads and their compressions.
 *
 * Every payload ends with its unpacked size (4 bytes, little endian), which Linux's build
 * appends: the output buffer is that large and the stream must fill it exactly, so a bomb can
 * not grow and a truncated stream can not pass.
 * Source: Linux boot protocol; the LZ4 frame document for the legacy frame.
 */
#include "unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

struct span {
	const uint8_t *p;
	size_t len;
};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
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
	return rc == Z_STREAM_END && z.avail_out == 0 ? 0 : -EBADMSG;
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
	return full ? 0 : -EBADMSG;
}

static int un_xz(struct span in, uint8_t *out, size_t out_len)
{
	lzma_stream s = LZMA_STREAM_INIT;

	if (lzma_stream_decoder(&s, 256u << 20, 0) != LZMA_OK)
		return -ENOMEM;
	return run_lzma(&s, in, out, out_len);
}

static int un_lzma(struct span in, uint8_t *out, size_t out_len)
{
	lzma_stream s = LZMA_STREAM_INIT;

	if (lzma_alone_decoder(&s, 256u << 20) != LZMA_OK)
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

static const struct method {
	const char *magic;
	size_t magic_len;
	int (*unpack)(struct span in, uint8_t *out, size_t out_len);
} methods[] = {
	{ "\x1f\x8b", 2, un_gzip },
	{ "\xfd" "7zXZ\0", 6, un_xz },
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

static int unpack_payload(struct unpacked *out, struct span in)
{
	const struct method *m = find_method(in);
	uint32_t size;
	int err;

	if (!m)
		return -ENOTSUP;
	if (in.len < 8)
		return -ERANGE;
	size = le32(in.p + in.len - 4);
	in.len -= 4;
	if (size > UNPACK_MAX)
		return -EFBIG;
	if (size == 0)
		return -EBADMSG;
	out->owned = malloc(size);
	if (!out->owned)
		return -ENOMEM;
	err = m->unpack(in, out->owned, size);
	if (err) {
		unpack_free(out);
		return err;
	}
	out->image = out->owned;
	out->len = size;
	return 0;
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

int unpack_kernel(struct unpacked *out, const void *file, size_t len)
{
	const uint8_t *p = file;
	struct span payload;
	int err;

	*out = (struct unpacked){ 0 };
	if (len >= 4 && !memcmp(p, "\x7f" "ELF", 4)) {
		out->image = p;
		out->len = len;
		return 0;
	}
	if (len < OFF_MAGIC + 4 || memcmp(p + OFF_MAGIC, "HdrS", 4))
		return -ENOEXEC;
	if (len < HEADER_END)
		return -ERANGE;
	err = bzimage_payload(&payload, p, len);
	return err ? err : unpack_payload(out, payload);
}

void unpack_free(struct unpacked *out)
{
	free(out->owned);
	*out = (struct unpacked){ 0 };
}

const char *unpack_strerror(int err)
{
	switch (err) {
	case -ENOEXEC:
		return "is neither a Linux bzImage nor an ELF kernel";
	case -ERANGE:
		return "is truncated";
	case -ENOTSUP:
		return "is packed in a way that is not known (gzip, xz, lzma, lz4 and zstd are)";
	case -EFBIG:
		return "would unpack to more than 256 MiB";
	case -EBADMSG:
		return "is damaged or truncated: it does not unpack";
	default:
		return "could not be unpacked: not enough memory in dom0";
	}
}
