/* SPDX-License-Identifier: MIT */
/*
 * load_disk.c - requests to a disk, several at once by Linux's native asynchronous I/O, past the
 * guest's page cache.
 */
#define _GNU_SOURCE
#include "load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/aio_abi.h>
#include <linux/fs.h>

#define MAX_DEPTH 64
#define ALIGNMENT 4096

struct kind {
	const char *name;
	bool writes, random;
	int flags;
};

static const struct kind kinds[] = {
	{ "read", false, false, 0 },   { "write", true, false, 0 },
	{ "rread", false, true, 0 },   { "rwrite", true, true, 0 },
	{ "swrite", true, true, O_DSYNC }, /* each on stable storage before the next */
};

struct disk {
	const struct kind *kind;
	int fd;
	uint64_t blocks; /* of len bytes, on the whole disk */
	size_t len;
	unsigned int depth;
	uint64_t sent;
	uint32_t seed;
	aio_context_t aio;
	struct iocb cb[MAX_DEPTH];
	void *buf[MAX_DEPTH];
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static void open_disk(struct disk *d, const char *path)
{
	uint64_t bytes;

	d->fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC | d->kind->flags);
	if (d->fd < 0 || ioctl(d->fd, BLKGETSIZE64, &bytes) < 0)
		fail(path);
	d->blocks = bytes / d->len;
	d->seed = 1;
	if (syscall(SYS_io_setup, MAX_DEPTH, &d->aio) < 0)
		fail("io_setup");
	for (unsigned int i = 0; i < d->depth; i++) {
		if (posix_memalign(&d->buf[i], ALIGNMENT, d->len))
			fail("memory");
		memset(d->buf[i], 0x5a, d->len);
	}
}

static uint64_t next_block(struct disk *d)
{
	d->seed = d->seed * 1664525 + 1013904223;
	return (d->kind->random ? d->seed >> 8 : d->sent) % d->blocks;
}

/* Sends the first @nr of @cb, each with a new place. */
static void send_some(struct disk *d, struct iocb **cb, long nr)
{
	for (long i = 0; i < nr; i++) {
		unsigned int slot = (unsigned int)(cb[i] - d->cb);

		*cb[i] = (struct iocb){
			.aio_fildes = (uint32_t)d->fd,
			.aio_lio_opcode = d->kind->writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
			.aio_buf = (uintptr_t)d->buf[slot],
			.aio_nbytes = d->len,
			.aio_offset = (int64_t)(next_block(d) * d->len),
			.aio_data = slot,
		};
		d->sent++;
	}
	if (nr && syscall(SYS_io_submit, d->aio, nr, cb) != nr)
		fail("io_submit");
}

static void run(struct disk *d, uint64_t count)
{
	struct io_event done[MAX_DEPTH];
	struct iocb *cb[MAX_DEPTH];
	uint64_t ended = 0, end = d->sent + count;

	for (unsigned int i = 0; i < d->depth; i++)
		cb[i] = &d->cb[i];
	send_some(d, cb, d->depth);
	while (ended < count) {
		long nr = syscall(SYS_io_getevents, d->aio, 1, MAX_DEPTH, done, NULL), again = 0;

		if (nr < 0)
			fail("io_getevents");
		for (long i = 0; i < nr; i++) {
			if ((int64_t)done[i].res != (int64_t)d->len)
				fail("a request came back short");
			if (d->sent + (uint64_t)again < end)
				cb[again++] = &d->cb[done[i].data];
		}
		ended += (uint64_t)nr;
		send_some(d, cb, again);
	}
}

int load_disk(int argc, char **argv)
{
	struct disk d = { 0 };
	uint64_t count, start;

	if (argc != 6 || !(d.kind = find_kind(argv[2])))
		return 2;
	d.len = strtoul(argv[3], NULL, 0);
	d.depth = (unsigned int)atoi(argv[4]);
	count = strtoul(argv[5], NULL, 0);
	if (!d.len || !d.depth || d.depth > MAX_DEPTH || count < d.depth)
		return 2;
	open_disk(&d, argv[1]);
	run(&d, d.depth + 16); /* what is made once is made now */
	MARK_BEGIN();
	start = now_ns();
	run(&d, count);
	start = now_ns() - start;
	MARK_END();
	printf("%.0f\n", (double)start / (double)count);
	return 0;
}

int load_buffered(int argc, char **argv)
{
	int fd = argc == 4 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	size_t len = argc == 4 ? strtoul(argv[2], NULL, 0) : 0;
	unsigned int count = argc == 4 ? (unsigned int)atoi(argv[3]) : 0;
	char *buf = malloc(len);
	uint64_t start;

	if (fd < 0 || !buf || !count)
		fail("buffered");
	ioctl(fd, BLKFLSBUF, 0); /* nothing of it is remembered */
	memset(buf, 0, len);
	MARK_BEGIN();
	start = now_ns();
	for (unsigned int i = 0; i < count; i++)
		if (read(fd, buf, len) != (ssize_t)len)
			fail("read");
	start = now_ns() - start;
	MARK_END();
	printf("%.0f\n", (double)start / count);
	return 0;
}
