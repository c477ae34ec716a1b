/* SPDX-License-Identifier: MIT */
/*
 * unpack.c - the ELF image inside a bzImage, by Debian's own decompression libraries, linked
 * statically. They are compiled for user space: boot/libc_shim.c gives them the handful of
 * functions they call, and only this file, at boot, enters them, with the stack aligned and the FPU
 * open as they expect. Source: Linux, Documentation/x86/boot.rst (setup_sects, payload_offset,
 * payload_length).
 */
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "boot/boot.h"
#include "boot/libc_shim.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/clock.h"
#include "x86/layout.h"

#define SETUP_SECTS 0x1f1
#define SETUP_MAGIC 0x202
#define SETUP_VERSION 0x206
#define SETUP_PAYLOAD_OFFSET 0x248
#define SETUP_PAYLOAD_LENGTH 0x24c
#define SETUP_HEADER_END 0x250
#define VERSION_WITH_PAYLOAD 0x208
#define SECTOR 512

#define IMAGE_MAX (512u << 20)

struct buffers {
	const u8 *in;
	size_t in_len;
	u8 *out;
	size_t out_len; /* exact size, from the payload's trailer */
};

static u32 get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Each returns true when exactly out_len bytes came out. */
static bool unpack_xz(const struct buffers *b)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret rc;

	if (lzma_stream_decoder(&s, UINT64_MAX, 0) != LZMA_OK)
		return false;
	s.next_in = b->in;
	s.avail_in = b->in_len;
	s.next_out = b->out;
	s.avail_out = b->out_len;
	rc = lzma_code(&s, LZMA_FINISH);
	lzma_end(&s);
	return rc == LZMA_STREAM_END && s.avail_out == 0;
}

static bool unpack_gzip(const struct buffers *b)
{
	z_stream z = {
		.next_in = (Bytef *)(uintptr_t)b->in,
		.avail_in = (uInt)b->in_len,
		.next_out = b->out,
		.avail_out = (uInt)b->out_len,
	};
	int rc;

	if (inflateInit2(&z, 15 + 16) != Z_OK) /* largest window, gzip wrapper */
		return false;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return rc == Z_STREAM_END && z.avail_out == 0;
}

static bool unpack_zstd(const struct buffers *b)
{
	size_t len = ZSTD_findFrameCompressedSize(b->in, b->in_len);

	return !ZSTD_isError(len) && ZSTD_decompress(b->out, b->out_len, b->in, len) == b->out_len;
}

static const struct format {
	const char *name;
	u8 magic[6];
	u8 magic_len;
	bool (*unpack)(const struct buffers *b);
} formats[] = {
	{ "XZ", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz },
	{ "gzip", { 0x1f, 0x8b }, 2, unpack_gzip },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
};

static const struct format *find_format(const u8 *payload, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (len > formats[i].magic_len &&
		    !memcmp(payload, formats[i].magic, formats[i].magic_len))
			return &formats[i];
	return NULL;
}

/* The payload of a bzImage; NULL: not one, or an old one. */
static const u8 *find_payload(const u8 *src, size_t len, size_t *payload_len)
{
	u64 start;
	unsigned int sects;

	if (len < SETUP_HEADER_END || memcmp(src + SETUP_MAGIC, "HdrS", 4))
		return NULL;
	if ((src[SETUP_VERSION] | src[SETUP_VERSION + 1] << 8) < VERSION_WITH_PAYLOAD)
		return NULL;
	sects = src[SETUP_SECTS] ? src[SETUP_SECTS] : 4;
	start = (u64)(sects + 1) * SECTOR + get32(src + SETUP_PAYLOAD_OFFSET);
	*payload_len = get32(src + SETUP_PAYLOAD_LENGTH);
	if (start > len || *payload_len > len - start || *payload_len < 8)
		return NULL;
	return src + start;
}

static int order_for(size_t bytes)
{
	int order = 0;

	while (((size_t)PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

static int unpack_payload(const struct format *f, struct buffers *b, void **out, int *order)
{
	struct frame *frames;
	s_time_t start = now_ns();
	bool ok;

	*order = order_for(b->out_len);
	frames = frames_alloc((unsigned int)*order, 0);
	if (!frames) {
		log_error("kernel: no %zu MiB of contiguous memory to unpack it", b->out_len >> 20);
		return -ENOMEM;
	}
	b->out = mfn_to_virt(frame_to_mfn(frames));
	libc_shim_enter();
	ok = f->unpack(b);
	libc_shim_leave();
	if (!ok) {
		log_error("kernel: its %s data is damaged", f->name);
		frames_free_dirty(frames, (unsigned int)*order);
		return -EINVAL;
	}
	log_info("kernel: %zu KiB of %s unpacked to %zu KiB in %ld ms", b->in_len >> 10, f->name,
		 b->out_len >> 10, (now_ns() - start) / 1000000);
	*out = b->out;
	return 0;
}

int kernel_unpack(const void *src, size_t len, void **out, size_t *out_len, int *order)
{
	const struct format *f;
	struct buffers b;

	if (len > 4 && !memcmp(src, "\177ELF", 4)) {
		*out = (void *)(uintptr_t)src;
		*out_len = len;
		*order = -1;
		return 0;
	}
	b.in = find_payload(src, len, &b.in_len);
	if (!b.in) {
		log_error("kernel: neither ELF nor a bzImage of boot protocol 2.08 or later");
		return -EINVAL;
	}
	f = find_format(b.in, b.in_len);
	if (!f) {
		log_error("kernel: compressed in an unknown way (first bytes %02x %02x); known: "
			  "XZ, gzip, zstd",
			  b.in[0], b.in[1]);
		return -EINVAL;
	}
	b.out_len = get32(b.in + b.in_len - 4);
	b.in_len -= 4;
	if (b.out_len == 0 || b.out_len > IMAGE_MAX) {
		log_error("kernel: unpacked size %zu is not between 1 byte and %u MiB", b.out_len,
			  IMAGE_MAX >> 20);
		return -EINVAL;
	}
	*out_len = b.out_len;
	return unpack_payload(f, &b, out, order);
}

void kernel_unpack_free(void *out, int order)
{
	if (order >= 0)
		frames_free_dirty(virt_to_frame(out), (unsigned int)order);
}
