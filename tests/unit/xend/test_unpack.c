/* SPDX-License-Identifier: MIT */
/*
 * test_unpack.c - bzImage payloads in every packing, whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "make_elf.h"
#include "unpack.h"

#define INNER 200000u
#define ROOM 400000u

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static size_t pack_gzip(const uint8_t *in, uint8_t *out)
{
	z_stream z = { .next_in = (uint8_t *)in, .avail_in = INNER, .next_out = out,
		       .avail_out = ROOM };

	deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_xz(const uint8_t *in, uint8_t *out)
{
	size_t pos = 0;

	lzma_easy_buffer_encode(3, LZMA_CHECK_CRC32, NULL, in, INNER, out, &pos, ROOM);
	return pos;
}

static size_t pack_lzma(const uint8_t *in, uint8_t *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma opt;

	lzma_lzma_preset(&opt, 3);
	assert_int_equal(lzma_alone_encoder(&s, &opt), LZMA_OK);
	s.next_in = in;
	s.avail_in = INNER;
	s.next_out = out;
	s.avail_out = ROOM;
	assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&s);
	return s.total_out;
}

/* Three blocks, so that a reader of only the first one is found out. */
static size_t pack_lz4(const uint8_t *in, uint8_t *out)
{
	const uint32_t block = 80000;
	size_t pos = 4;

	put32(out, 0x184c2102);
	for (uint32_t at = 0; at < INNER; at += block) {
		int n = (int)(INNER - at < block ? INNER - at : block);
		int packed = LZ4_compress_default((const char *)in + at, (char *)out + pos + 4, n,
						  ROOM);

		put32(out + pos, (uint32_t)packed);
		pos += 4 + (size_t)packed;
	}
	return pos;
}

static size_t pack_zstd(const uint8_t *in, uint8_t *out)
{
	return ZSTD_compress(out, ROOM, in, INNER, 3);
}

static size_t pack_bzip2(const uint8_t *in, uint8_t *out)
{
	unsigned int n = ROOM;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &n, (char *)in, INNER, 9, 0, 0), BZ_OK);
	return n;
}

static size_t put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * (3 - i));
	return 4;
}

/* As lzop writes it: three blocks, a sum of the unpacked bytes before each. */
static size_t pack_lzo(const uint8_t *in, uint8_t *out)
{
	static const uint8_t head[] = "\x89LZO\0\r\n\x1a\n" "\x10\x30\x20\x60\x09\x40\x03\x09"
				      "\x03\0\0\x01" "\0\0\x81\xa4" "\0\0\0\0" "\0\0\0\0"
				      "\x01" "k" "abcd";
	const uint32_t block = 80000;
	static uint8_t work[LZO1X_999_MEM_COMPRESS];
	size_t pos = sizeof(head) - 1;

	memcpy(out, head, pos);
	for (uint32_t at = 0; at < INNER; at += block) {
		uint32_t n = INNER - at < block ? INNER - at : block;
		lzo_uint packed = 0;
		int rc = lzo1x_999_compress(in + at, n, out + pos + 12, &packed, work);

		assert_int_equal(rc, LZO_E_OK);
		pos += put_be32(out + pos, n);
		pos += put_be32(out + pos, (uint32_t)packed);
		pos += put_be32(out + pos, lzo_adler32(1, in + at, n)) + packed;
	}
	return pos + put_be32(out + pos, 0);
}

static const struct {
	const char *name;
	size_t (*pack)(const uint8_t *in, uint8_t *out);
	bool own_size;			/* Linux's build appends none */
} packings[] = {
	{ "gzip", pack_gzip, true }, { "bzip2", pack_bzip2 }, { "lzo", pack_lzo }, { "xz", pack_xz }, { "lzma", pack_lzma }, { "lz4", pack_lz4 },
	{ "zstd", pack_zstd },
};
#define NR_PACKINGS (sizeof(packings) / sizeof(packings[0]))

/* Text-like: compresses, but not to nothing. */
static void fill(uint8_t *inner)
{
	unsigned int seed = 7;

	for (size_t i = 0; i < INNER; i++)
		inner[i] = (uint8_t)("xen store "[i % 10] + (rand_r(&seed) % 13 == 0));
}

/* What unpack_kernel() writes to; it has been as large as it asks for, and no byte larger. */
struct unpacked {
	uint8_t *image;
	size_t len;
};

static uint8_t *room(void *arg, size_t len)
{
	struct unpacked *u = arg;

	assert_null(u->image);
	u->image = malloc(len);
	u->len = len;
	return u->image;
}

static int unpack(struct unpacked *u, const void *file, size_t len)
{
	const struct unpack_to to = { room, u, UNPACK_MAX };

	*u = (struct unpacked){ 0 };
	return unpack_kernel(&to, file, len);
}

static void test_every_packing_gives_back_the_kernel(void **state)
{
	uint8_t *inner = malloc(INNER), *packed = malloc(ROOM);

	fill(inner);
	for (size_t i = 0; i < NR_PACKINGS; i++) {
		struct unpacked u;
		size_t len, n = packings[i].pack(inner, packed);
		uint8_t *file = make_bzimage(packed, n, INNER, packings[i].own_size, &len);

		assert_int_equal(unpack(&u, file, len), 0);
		assert_int_equal(u.len, INNER);
		assert_memory_equal(u.image, inner, INNER);
		free(u.image);
		free(file);
	}
	free(inner);
	free(packed);
}

static void test_a_wrong_size_claim_is_refused_in_every_packing(void **state)
{
	static const uint32_t claims[] = { INNER - 1, INNER + 1, 0, UNPACK_MAX + 1, UINT32_MAX };
	uint8_t *inner = malloc(INNER), *packed = malloc(ROOM);

	fill(inner);
	for (size_t i = 0; i < NR_PACKINGS; i++) {
		size_t n = packings[i].pack(inner, packed);

		for (size_t c = 0; c < sizeof(claims) / sizeof(claims[0]); c++) {
			struct unpacked u;
			size_t len;
			uint8_t *file = make_bzimage(packed, n, claims[c], packings[i].own_size,
						     &len);
			int err = unpack(&u, file, len);

			assert_int_equal(err, claims[c] > UNPACK_MAX ? -EFBIG : -EBADMSG);
			if (err == -EFBIG)
				assert_null(u.image);
			free(u.image);
			free(file);
		}
	}
	free(inner);
	free(packed);
}

static void test_every_truncation_of_the_file_is_refused(void **state)
{
	uint8_t *inner = malloc(INNER), *packed = malloc(ROOM);

	fill(inner);
	for (size_t i = 0; i < NR_PACKINGS; i++) {
		size_t len, n = packings[i].pack(inner, packed);
		uint8_t *file = make_bzimage(packed, n, INNER, packings[i].own_size, &len);

		/* The last 100 bytes lie behind the payload. */
		for (size_t cut = 0; cut < len - 100; cut += cut < 700 ? 1 : 211) {
			uint8_t *part = malloc(cut ? cut : 1);
			struct unpacked u;

			memcpy(part, file, cut);
			assert_int_not_equal(unpack(&u, part, cut), 0);
			free(u.image);
			free(part);
		}
		free(file);
	}
	free(inner);
	free(packed);
}

static void test_damaged_payloads_never_write_outside_the_buffer(void **state)
{
	uint8_t *inner = malloc(INNER), *packed = malloc(ROOM);
	unsigned int seed = 42;

	fill(inner);
	for (size_t i = 0; i < NR_PACKINGS; i++) {
		size_t len, n = packings[i].pack(inner, packed);
		uint8_t *file = make_bzimage(packed, n, INNER, packings[i].own_size, &len);

		for (int round = 0; round < 150; round++) {
			size_t at = 3 * 512 + 64 + (size_t)rand_r(&seed) % n;
			uint8_t old = file[at];
			struct unpacked u;

			file[at] ^= (uint8_t)(1 + rand_r(&seed) % 255);
			/* lz4 has no check sum: a changed literal may pass, as it does in Linux. */
			unpack(&u, file, len);
			free(u.image);
			file[at] = old;
		}
		free(file);
	}
	free(inner);
	free(packed);
}

static void test_an_elf_file_passes_as_it_is(void **state)
{
	struct unpacked u;

	assert_int_equal(unpack(&u, "\x7f" "ELFrest", 8), 0);
	assert_int_equal(u.len, 8);
	assert_memory_equal(u.image, "\x7f" "ELFrest", 8);
	free(u.image);
}

static void test_a_file_packed_with_gzip_is_taken_without_a_bzimage_around_it(void **state)
{
	uint8_t *inner = malloc(INNER), *packed = malloc(ROOM);
	struct unpacked u;

	fill(inner);
	assert_int_equal(unpack(&u, packed, pack_gzip(inner, packed)), 0);
	assert_int_equal(u.len, INNER);
	assert_memory_equal(u.image, inner, INNER);
	free(u.image);
	free(inner);
	free(packed);
}

static void test_unknown_packings_and_files_are_named_apart(void **state)
{
	uint8_t packed[64] = "\x1f\x9d something";
	struct unpacked u;
	size_t len;
	uint8_t *file = make_bzimage(packed, sizeof(packed), INNER, false, &len);

	assert_int_equal(unpack(&u, file, len), -ENOTSUP);
	assert_int_equal(unpack(&u, "#!/bin/sh\n", 10), -ENOEXEC);
	assert_int_equal(unpack(&u, "", 0), -ENOEXEC);
	put32(file + 0x24c, UINT32_MAX);
	assert_int_equal(unpack(&u, file, len), -ERANGE);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_packing_gives_back_the_kernel),
		cmocka_unit_test(test_a_wrong_size_claim_is_refused_in_every_packing),
		cmocka_unit_test(test_every_truncation_of_the_file_is_refused),
		cmocka_unit_test(test_damaged_payloads_never_write_outside_the_buffer),
		cmocka_unit_test(test_a_file_packed_with_gzip_is_taken_without_a_bzimage_around_it),
		cmocka_unit_test(test_an_elf_file_passes_as_it_is),
		cmocka_unit_test(test_unknown_packings_and_files_are_named_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
