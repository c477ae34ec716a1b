/* SPDX-License-Identifier: MIT */
/*
 * test_blk_image.c - claims about opening a file as a disk: who may at the same time, what is no
 * disk, and what cache= makes of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "blk_image.h"

static char path[64];
static char why[512];
/* Reads past the page cache are refused, as of a device whose sectors have 4,096 bytes. */
static bool large_sectors;
static int read_error; /* of reads past the page cache, errno */
static uint32_t said_align; /* what the kernel says of direct I/O, 0: nothing */

int __wrap_statx(int fd, const char *name, int flags, unsigned int mask, struct statx *st);

int __wrap_statx(int fd, const char *name, int flags, unsigned int mask, struct statx *st)
{
	*st = (struct statx){ .stx_dio_offset_align = said_align, .stx_dio_mem_align = 512,
			      .stx_mask = said_align ? STATX_DIOALIGN : 0 };
	return 0;
}

ssize_t __real_pread64(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t at);

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t at)
{
	if ((large_sectors || read_error) && fcntl(fd, F_GETFL) & O_DIRECT) {
		errno = large_sectors ? EINVAL : read_error;
		return -1;
	}
	return __real_pread64(fd, buf, len, at);
}

static int lock_error; /* of locks, errno */

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);

int __wrap_flock(int fd, int how)
{
	errno = lock_error;
	return lock_error ? -1 : __real_flock(fd, how);
}

static int set_up(void **state)
{
	int fd;

	large_sectors = false;
	lock_error = 0;
	read_error = 0;
	said_align = 0;
	/* Of the file systems there, most likely one that knows direct I/O. */
	strcpy(path, "/var/tmp/test-blk-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && ftruncate(fd, 65536) == 0);
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	return unlink(path);
}

static int try_open(const char *name, bool readonly, bool shared)
{
	const struct blk_image_want want = { .path = name, .readonly = readonly, .shared = shared };
	struct blk_image img;
	int rc = blk_image_open(&img, &want, why, sizeof(why));

	if (rc == 0)
		blk_image_close(&img);
	return rc;
}

static void hold(struct blk_image *img, bool readonly)
{
	const struct blk_image_want want = { .path = path, .readonly = readonly };

	assert_int_equal(blk_image_open(img, &want, why, sizeof(why)), 0);
}

static void test_a_writable_image_is_exclusive(void **state)
{
	char want[256];
	struct blk_image held;

	hold(&held, false);
	snprintf(want, sizeof(want), "image %s is already in use by another domain", path);
	assert_int_equal(try_open(path, false, false), -EAGAIN);
	assert_string_equal(why, want);
	assert_int_equal(try_open(path, true, false), -EAGAIN);
	assert_int_equal(try_open(path, false, true), 0); /* w! */
	blk_image_close(&held);
	assert_int_equal(try_open(path, false, false), 0);
}

static void test_readonly_images_are_shared(void **state)
{
	struct blk_image held;

	hold(&held, true);
	assert_int_equal(try_open(path, true, false), 0);
	assert_int_equal(try_open(path, false, false), -EAGAIN);
	blk_image_close(&held);
}

static void test_bad_images_name_the_cause(void **state)
{
	assert_int_equal(try_open("/nowhere/disk.img", false, false), -EINVAL);
	assert_string_equal(why, "disk /nowhere/disk.img: No such file or directory");
	assert_int_equal(try_open("/dev/null", false, false), -EINVAL);
	assert_string_equal(why, "disk /dev/null is neither a file nor a block device");
	assert_int_equal(try_open("/tmp", true, false), -EINVAL);
	assert_int_equal(truncate(path, 1000), 0);
	assert_int_equal(try_open(path, false, false), -EINVAL);
	assert_non_null(strstr(why, "1000 bytes, is not a multiple of 512"));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(try_open(path, false, false), -EINVAL);
	assert_non_null(strstr(why, "is empty"));
}

/* What each word asks of the kernel and of the guest. */
static const struct {
	enum disk_cache cache;
	bool direct, sync, needs_flush;
} words[] = {
	{ DISK_CACHE_DEFAULT, false, false, true },
	{ DISK_CACHE_NONE, true, false, true },
	{ DISK_CACHE_WRITEBACK, false, false, true },
	{ DISK_CACHE_WRITETHROUGH, false, true, false },
	{ DISK_CACHE_DIRECTSYNC, true, true, false },
	{ DISK_CACHE_UNSAFE, false, false, false },
};

static void test_each_word_of_cache_is_done(void **state)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct blk_image_want want = { .path = path, .cache = words[i].cache };
		struct blk_image img;
		int flags;

		if (blk_image_open(&img, &want, why, sizeof(why)))
			fail_msg("%s", why);
		flags = fcntl(img.fd, F_GETFL);
		assert_int_equal(!!(flags & O_DIRECT), words[i].direct);
		assert_int_equal(img.direct, words[i].direct);
		assert_int_equal((flags & O_DSYNC) == O_DSYNC, words[i].sync);
		assert_int_equal(img.needs_flush, words[i].needs_flush);
		assert_int_equal(flags & O_NONBLOCK, 0);
		blk_image_close(&img);
	}
}

/* Not silently something else. */
static void test_what_is_not_possible_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct blk_image_want want = { .path = path, .cache = words[i].cache };
		struct blk_image img;
		char text[64];

		large_sectors = true;
		if (!words[i].direct) {
			assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), 0);
			blk_image_close(&img);
			continue;
		}
		assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), -EINVAL);
		snprintf(text, sizeof(text), "cache=%s is not possible, cache=%s is",
			 disk_cache_words[words[i].cache],
			 words[i].sync ? "writethrough" : "writeback");
		assert_non_null(strstr(why, text));
		assert_non_null(strstr(why, path));
	}
}

/* A guest that runs, perhaps with requests that were all large enough, loses no disk by it. */
static void test_but_not_to_a_guest_that_has_it(void **state)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct blk_image_want want = { .path = path, .cache = words[i].cache,
						     .in_use = true };
		struct blk_image img;

		large_sectors = true;
		assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), 0);
		assert_false(img.direct);
		assert_int_equal(img.needs_flush, words[i].needs_flush);
		blk_image_close(&img);
	}
}

/* A guest that runs keeps its disk, and keeps it past the page cache. */
static void test_a_damaged_sector_says_nothing_about_their_size(void **state)
{
	static const int errors[] = { EIO, ENOMEM };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		const struct blk_image_want want = { .path = path, .cache = DISK_CACHE_NONE };
		struct blk_image img;

		read_error = errors[i];
		assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), 0);
		assert_true(img.direct);
		blk_image_close(&img);
	}
}

/* As ext4 on a device with sectors of 4,096 bytes: it reads 512 bytes, and does not write them. */
static void test_what_is_said_of_sectors_counts_more_than_a_read(void **state)
{
	static const struct {
		uint32_t said;
		int ret;
	} cases[] = { { 512, 0 }, { 4096, -EINVAL }, { 4, 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct blk_image_want want = { .path = path, .cache = DISK_CACHE_NONE };
		struct blk_image img;

		said_align = cases[i].said;
		assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), cases[i].ret);
		blk_image_close(&img);
	}
}

static void test_one_sector_is_enough(void **state)
{
	const struct blk_image_want want = { .path = path, .cache = DISK_CACHE_NONE };
	struct blk_image img;

	assert_int_equal(truncate(path, 512), 0);
	assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), 0);
	assert_true(img.direct);
	blk_image_close(&img);
}

/* Of NFS without its lock daemon: nobody else has it, and nobody will let it go. */
static void test_a_file_system_that_has_no_locks_lends_none(void **state)
{
	const struct blk_image_want want = { .path = path, .lock_later = true };
	struct blk_image img;

	blk_locks = "/dev/null";
	lock_error = ENOLCK;
	assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), -EAGAIN);
	assert_non_null(strstr(why, "cannot be locked: No locks available"));
	lock_error = EWOULDBLOCK;
	assert_int_equal(blk_image_open(&img, &want, why, sizeof(why)), 0);
	assert_true(img.is_lent);
	blk_locks = "/proc/locks";
	blk_image_close(&img);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_writable_image_is_exclusive),
		T(test_readonly_images_are_shared),
		T(test_bad_images_name_the_cause),
		T(test_each_word_of_cache_is_done),
		T(test_what_is_not_possible_is_refused),
		T(test_but_not_to_a_guest_that_has_it),
		T(test_a_damaged_sector_says_nothing_about_their_size),
		T(test_what_is_said_of_sectors_counts_more_than_a_read),
		T(test_one_sector_is_enough),
		T(test_a_file_system_that_has_no_locks_lends_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
