/* SPDX-License-Identifier: MIT */
/*
 * test_unpack.c - kernels of every compression come out whole, and damaged ones are refused
 * without a byte written beyond the memory taken for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "boot/boot.h"
#include "unpack_heap.h"

#define HV_EINVAL 22
#define HV_ENOMEM 12
#define SETUP_SIZE 1024
#define KERNEL_SIZE 200000

/* --- a bzImage around a packed kernel --- */

static uint8_t kernel[KERNEL_SIZE];

struct bz {
	uint8_t bytes[SETUP_SIZE + 2 * KERNEL_SIZE];
	size_t len;
};

static void put32(uint8_t *p, size_t v)
{
	uint32_t word = (uint32_t)v;

	memcpy(p, &word, 4);
}

static uint8_t *payload(struct bz *b)
{
	return b->bytes + SETUP_SIZE;
}

static void finish(struct bz *b, size_t packed, size_t unpacked)
{
	memset(b->bytes, 0, SETUP_SIZE);
	b->bytes[0x1f1] = 1;
	memcpy(b->bytes + 0x202, "HdrS\x0f\x02", 6);
	put32(b->bytes + 0x24c, packed + 4);
	put32(payload(b) + packed, unpacked);
	b->len = SETUP_SIZE + packed + 4;
}

static void make_xz(struct bz *b)
{
	size_t out = 0;

	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, kernel, KERNEL_SIZE,
						 payload(b), &out, 2 * KERNEL_SIZE),
			 LZMA_OK);
	finish(b, out, KERNEL_SIZE);
}

static void make_gzip(struct bz *b)
{
	z_stream z = { .next_in = kernel,
		       .avail_in = KERNEL_SIZE,
		       .next_out = payload(b),
		       .avail_out = 2 * KERNEL_SIZE };

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	finish(b, z.total_out, KERNEL_SIZE);
	deflateEnd(&z);
}

static void make_zstd(struct bz *b)
{
	size_t n = ZSTD_compress(payload(b), 2 * KERNEL_SIZE, kernel, KERNEL_SIZE, 3);

	assert_false(ZSTD_isError(n));
	finish(b, n, KERNEL_SIZE);
}

static void (*const makers[])(struct bz *) = { make_xz, make_gzip, make_zstd };
#define NR_MAKERS (sizeof(makers) / sizeof(makers[0]))

static int unpack(const struct bz *b, void **out, size_t *out_len, int *order)
{
	/* A copy of exactly the length: the sanitizer sees every byte read beyond it. */
	void *copy = malloc(b->len);
	int rc;

	memcpy(copy, b->bytes, b->len);
	unpack_heap_reset();
	rc = kernel_unpack(copy, b->len, out, out_len, order);
	free(copy);
	assert_true(unpack_heap_is_sound());
	assert_int_equal(unpack_heap_frees, rc ? unpack_heap_allocs : 0);
	return rc;
}

static int setup(void **state)
{
	unsigned int seed = 1;

	for (size_t i = 0; i < KERNEL_SIZE; i++)
		kernel[i] = (uint8_t)(i % 97 < 60 ? i / 97 : (size_t)rand_r(&seed));
	return 0;
}

static struct bz image;

static void test_every_compression_comes_out_whole(void **state)
{
	void *out;
	size_t len;
	int order;

	for (size_t i = 0; i < NR_MAKERS; i++) {
		makers[i](&image);

		assert_int_equal(unpack(&image, &out, &len, &order), 0);

		assert_int_equal(len, KERNEL_SIZE);
		assert_int_equal(order, 6);
		assert_memory_equal(out, kernel, KERNEL_SIZE);
		kernel_unpack_free(out, order);
		assert_int_equal(unpack_heap_frees, 1);
	}
}

static void test_a_plain_elf_is_taken_as_it_is(void **state)
{
	static const uint8_t elf[64] = "\177ELF";
	void *out;
	size_t len;
	int order;

	assert_int_equal(kernel_unpack(elf, sizeof(elf), &out, &len, &order), 0);

	assert_ptr_equal(out, elf);
	assert_int_equal(len, sizeof(elf));
	assert_int_equal(order, -1);
	kernel_unpack_free(out, order);
}

static void test_other_files_are_refused(void **state)
{
	void *out;
	size_t len;
	int order;

	make_xz(&image);
	image.bytes[0x203] = 'x';
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
	make_xz(&image);
	image.bytes[0x206] = 7; /* boot protocol 2.07 has no payload fields */
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
	make_xz(&image);
	payload(&image)[0] = 'B'; /* bzip2, say */
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
	image.len = 100;
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
	assert_int_equal(unpack_heap_allocs, 0);
}

static void test_a_payload_outside_the_file_is_refused(void **state)
{
	static const uint32_t offsets[] = { 0xffffffff, 0xfffffc00, 1 << 20 };
	void *out;
	size_t len;
	int order;

	for (size_t i = 0; i < 3; i++) {
		make_gzip(&image);
		put32(image.bytes + 0x248, offsets[i]);
		assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
	}
	make_gzip(&image);
	image.len--;
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
}

static void test_sizes_are_capped_before_memory_is_taken(void **state)
{
	void *out;
	size_t len;
	int order;

	make_xz(&image);
	put32(image.bytes + image.len - 4, (512u << 20) + 1);
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
	assert_int_equal(unpack_heap_allocs, 0);
	put32(image.bytes + image.len - 4, 0);
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
	put32(image.bytes + image.len - 4, 100u << 20);
	assert_int_equal(unpack(&image, &out, &len, &order), -HV_ENOMEM);
}

static void test_a_wrong_size_in_the_trailer_is_damage(void **state)
{
	static const int off[] = { -1, 1, -4096, 4096 };
	void *out;
	size_t len;
	int order;

	for (size_t i = 0; i < NR_MAKERS; i++) {
		for (size_t k = 0; k < 4; k++) {
			makers[i](&image);
			put32(image.bytes + image.len - 4, (size_t)(KERNEL_SIZE + off[k]));
			assert_int_equal(unpack(&image, &out, &len, &order), -HV_EINVAL);
		}
	}
}

static void test_random_damage_is_refused_or_stays_inside(void **state)
{
	unsigned int seed = 5;

	for (int round = 0; round < 400; round++) {
		size_t packed, at;
		void *out;
		size_t len;
		int order, rc;

		makers[(size_t)round % NR_MAKERS](&image);
		packed = image.len - SETUP_SIZE - 4;
		at = (size_t)rand_r(&seed) % packed;
		payload(&image)[at] ^= (uint8_t)(1 + rand_r(&seed) % 255);
		rc = unpack(&image, &out, &len, &order);

		/* XZ carries a checksum: nothing damaged passes as whole. */
		if (rc == 0 && (size_t)round % NR_MAKERS == 0)
			assert_memory_equal(out, kernel, KERNEL_SIZE);
		assert_true(rc == 0 || rc == -HV_EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_compression_comes_out_whole),
		cmocka_unit_test(test_a_plain_elf_is_taken_as_it_is),
		cmocka_unit_test(test_other_files_are_refused),
		cmocka_unit_test(test_a_payload_outside_the_file_is_refused),
		cmocka_unit_test(test_sizes_are_capped_before_memory_is_taken),
		cmocka_unit_test(test_a_wrong_size_in_the_trailer_is_damage),
		cmocka_unit_test(test_random_damage_is_refused_or_stays_inside),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
