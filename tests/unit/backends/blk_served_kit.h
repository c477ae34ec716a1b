/* SPDX-License-Identifier: MIT */
/*
 * blk_served_kit.h - what tests of a disk ask that a qemu-nbd of ours serves, whatever it stands
 * on. Included once a test, which makes its folder, sets server.image and what else it wants, and
 * uses all of it.
 */
#ifndef BLK_SERVED_KIT_H
#define BLK_SERVED_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "blk_io_kit.h"
#include "blk_nbd.h"

#define BLOCKS 256u
#define NOBODY "65534:65534"

static char dir[64], file[96], log_file[96];
static struct blk_image image;
static struct blk_server_want server;
static char why[1400];
static jmp_buf lost_to;
static char lost_why[1024];
static pid_t other_child; /* not one that serves a disk, 0: there is none */

static void on_lost(const char *text)
{
	snprintf(lost_why, sizeof(lost_why), "%s", text);
	longjmp(lost_to, 1);
}

static void __attribute__((format(printf, 1, 2))) shell(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command))
		fail_msg("%s", command);
}

/* A folder of the test's, called /tmp/test-@what-XXXXXX, and no disk. */
static void make_folder(const char *what)
{
	snprintf(dir, sizeof(dir), "/tmp/test-%s-XXXXXX", what);
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/image", dir);
	snprintf(log_file, sizeof(log_file), "%s/log", dir);
	io = NULL;
	image.fd = -1;
}

/* Our child that serves the disk, 0: there is none. */
static pid_t server_pid(void)
{
	char path[64];
	int pid = 0, is = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	while (!is && fscanf(f, "%d", &pid) == 1)
		is = pid == other_child ? 0 : pid;
	fclose(f);
	return is;
}

static void close_disk(void)
{
	pid_t pid;

	if (io)
		blk_io_close(io);
	io = NULL;
	blk_image_close(&image);
	while ((pid = server_pid()))
		waitpid(pid, NULL, 0);
}

static struct blk_nbd_want want(void)
{
	return (struct blk_nbd_want){ .name = server.image, .server = &server, .dir = dir,
				      .readonly = server.readonly, .log = log_file,
				      .lost = on_lost };
}

static int try_disk(void)
{
	const struct blk_nbd_want w = want();

	return blk_nbd_open(&image, &io, &w, why, sizeof(why));
}

static void open_disk(bool resume)
{
	struct blk_nbd_want w = want();

	w.resume = resume;
	if (blk_nbd_open(&image, &io, &w, why, sizeof(why)))
		fail_msg("%s", why);
}

static void refused(int rc, const char *text)
{
	assert_int_equal(try_disk(), rc);
	assert_null(io);
	assert_int_equal(image.fd, -1);
	if (!strstr(why, text) || strchr(why, '\n'))
		fail_msg("'%s' does not say '%s'", why, text);
}

static int32_t one(enum blk_io_kind kind, void *buf, uint64_t block)
{
	int32_t res[BLK_IO_DEPTH] = { -1 };

	add(kind, 0, buf, block);
	blk_io_start(io);
	collect(1, res);
	return res[0];
}

static void fill(uint64_t block, uint8_t with)
{
	static uint8_t buf[BLOCK];

	memset(buf, with, BLOCK);
	assert_int_equal(one(BLK_IO_WRITE, buf, block), BLOCK);
}

static uint8_t first_byte(uint64_t block)
{
	static uint8_t buf[BLOCK];

	assert_int_equal(one(BLK_IO_READ, buf, block), BLOCK);
	return buf[0];
}

#endif
