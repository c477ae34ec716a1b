/* SPDX-License-Identifier: MIT */
/*
 * test_blk_io.c - both ways of doing block I/O, the same claims for each; and that the ring, which
 * no system call filter sees into, does nothing but what it is for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* With its structure: the tests submit what it would not. */
#include "blk_io_uring.c"
/* Behind it: what it calls io is another thing. */
#include "blk_io_kit.h"

#define BLOCKS 64u

static int image;

static int make_image(void)
{
	char path[] = "/tmp/test-blk-io-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)BLOCK * BLOCKS), 0);
	return fd;
}

static int set_up_threads(void **state)
{
	image = make_image();
	io = blk_io_open(image, true);
	assert_string_equal(blk_io_name(io), "threads");
	return 0;
}

/* Where the kernel refuses, blk_io_open() takes threads, and the claims about rings are skipped. */
static int set_up_uring(void **state)
{
	image = make_image();
	io = blk_io_open(image, false);
	assert_non_null(io);
	return 0;
}

static int tear_down(void **state)
{
	blk_io_close(io);
	close(image);
	return 0;
}

static void test_as_many_as_there_are_tags_over_and_over(void **state)
{
	static uint8_t buf[BLK_IO_DEPTH][BLOCK], back[BLK_IO_DEPTH][BLOCK];
	int32_t res[BLK_IO_DEPTH];

	for (unsigned int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < BLK_IO_DEPTH; i++) {
			memset(buf[i], (int)(round * 7 + i), BLOCK);
			add(BLK_IO_WRITE, i, buf[i], (i * 5 + round) % BLOCKS);
		}
		assert_int_equal(blk_io_start(io), 0);
		collect(BLK_IO_DEPTH, res);
		for (uint32_t i = 0; i < BLK_IO_DEPTH; i++) {
			assert_int_equal(res[i], BLOCK);
			add(BLK_IO_READ, i, back[i], (i * 5 + round) % BLOCKS);
		}
		assert_int_equal(blk_io_start(io), 0);
		collect(BLK_IO_DEPTH, res);
		assert_memory_equal(buf, back, sizeof(buf));
	}
}

static void test_sync_and_punch(void **state)
{
	static uint8_t buf[BLOCK];
	int32_t res[BLK_IO_DEPTH] = { 1, 1, 1 };

	memset(buf, 0x77, BLOCK);
	add(BLK_IO_WRITE, 0, buf, 3);
	blk_io_start(io);
	collect(1, res);
	add(BLK_IO_SYNC, 1, NULL, 0);
	add(BLK_IO_PUNCH, 2, NULL, 3);
	blk_io_start(io);
	collect(2, res);
	assert_int_equal(res[1], 0);
	if (res[2] == -EOPNOTSUPP)
		skip(); /* a file system without holes */
	assert_int_equal(res[2], 0);
	assert_int_equal(pread(image, buf, 1, 3 * BLOCK), 1);
	assert_int_equal(buf[0], 0);
}

static void test_errors_and_the_end_are_told(void **state)
{
	static uint8_t buf[BLOCK];
	int32_t res[BLK_IO_DEPTH];

	add(BLK_IO_READ, 0, buf, BLOCKS);	/* behind the end */
	add(BLK_IO_READ, 1, (void *)8, 0);	/* nowhere */
	blk_io_start(io);
	collect(2, res);
	assert_int_equal(res[0], 0);
	assert_int_equal(res[1], -EFAULT);
}

static void test_its_descriptor_says_when_there_is_something(void **state)
{
	static uint8_t buf[BLOCK];
	struct blk_io_done done[1];

	add(BLK_IO_READ, 0, buf, 0);
	blk_io_start(io);
	blk_io_wait(io);
	assert_int_equal(blk_io_reap(io, done, 1), 1);
	assert_int_equal(blk_io_reap(io, done, 1), 0);
}

/* --- the ring ------------------------------------------------------------------------------- */

static struct io_uring_sqe *raw_sqe(void)
{
	if (strcmp(blk_io_name(io), "io_uring"))
		skip();
	return io_uring_get_sqe(&((struct uring *)io)->ring);
}

static int32_t submit_raw(void)
{
	struct blk_io_done done[1];

	assert_int_equal(io_uring_submit(&((struct uring *)io)->ring), 1);
	blk_io_wait(io);
	assert_int_equal(blk_io_reap(io, done, 1), 1);
	return done[0].res;
}

static void test_the_ring_opens_connects_and_sends_nothing(void **state)
{
	struct io_uring_sqe *sqe = raw_sqe();

	io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	assert_int_equal(submit_raw(), -EACCES);
	io_uring_prep_socket(raw_sqe(), AF_UNIX, SOCK_STREAM, 0, 0);
	assert_int_equal(submit_raw(), -EACCES);
	io_uring_prep_connect(raw_sqe(), 0, NULL, 0);
	assert_int_equal(submit_raw(), -EACCES);
	io_uring_prep_unlink(raw_sqe(), "/tmp/nothing", 0);
	assert_int_equal(submit_raw(), -EACCES);
	io_uring_prep_send(raw_sqe(), 0, "x", 1, 0);
	assert_int_equal(submit_raw(), -EACCES);
	/* Also marked as for the registered file. */
	sqe = raw_sqe();
	io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	assert_int_equal(submit_raw(), -EACCES);
}

static void test_the_ring_knows_no_other_file(void **state)
{
	static uint8_t buf[BLOCK];
	struct io_uring_sqe *sqe = raw_sqe();

	io_uring_prep_read(sqe, image, buf, BLOCK, 0); /* by number, not as registered */
	assert_int_equal(submit_raw(), -EACCES);
	sqe = raw_sqe();
	io_uring_prep_read(sqe, 1, buf, BLOCK, 0); /* a second registered file */
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	assert_int_equal(submit_raw(), -EBADF);
	assert_true(reg(&((struct uring *)io)->ring, IORING_REGISTER_FILES, &image, 1) < 0);
	assert_true(reg(&((struct uring *)io)->ring, IORING_UNREGISTER_FILES, NULL, 0) < 0);
}

#define T(name, way) cmocka_unit_test_setup_teardown(name, set_up_##way, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_as_many_as_there_are_tags_over_and_over, uring),
		T(test_as_many_as_there_are_tags_over_and_over, threads),
		T(test_sync_and_punch, uring),
		T(test_sync_and_punch, threads),
		T(test_errors_and_the_end_are_told, uring),
		T(test_errors_and_the_end_are_told, threads),
		T(test_its_descriptor_says_when_there_is_something, uring),
		T(test_its_descriptor_says_when_there_is_something, threads),
		T(test_the_ring_opens_connects_and_sends_nothing, uring),
		T(test_the_ring_knows_no_other_file, uring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
