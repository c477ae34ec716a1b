/* SPDX-License-Identifier: MIT */
/* blk_log.c - see blk_log.h. */
#include "blk_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOG_MAGIC 0x53564c31u /* "SVL1": change with the layout */
#define HEAD_LEN 4096u

struct blk_log_head {
	uint32_t magic;
	char name[1024];
	uint64_t first, end; /* bytes since ever: those between are there */
};

struct entry {
	uint64_t offset, len; /* so many bytes of data follow */
};

_Static_assert(sizeof(struct blk_log_head) <= HEAD_LEN, "the head is one page");

int blk_log_open(struct blk_log *log, const char *file, const char *name)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), rc;
	struct blk_log_head *head;

	*log = (struct blk_log){ 0 };
	if (fd < 0)
		return -errno;
	/* All of it now: a page that has no room when it is written is the end of the process. */
	rc = -posix_fallocate(fd, 0, HEAD_LEN + BLK_LOG_BYTES);
	head = rc < 0 ? MAP_FAILED : mmap(NULL, HEAD_LEN + BLK_LOG_BYTES, PROT_READ | PROT_WRITE,
					  MAP_SHARED, fd, 0);
	if (rc == 0 && head == MAP_FAILED)
		rc = -errno;
	close(fd);
	if (rc < 0)
		return rc;
	if (head->magic != LOG_MAGIC || strncmp(head->name, name, sizeof(head->name))) {
		memset(head, 0, sizeof(*head));
		strncpy(head->name, name, sizeof(head->name) - 1);
		head->magic = LOG_MAGIC;
	}
	log->head = head;
	log->ring = (uint8_t *)head + HEAD_LEN;
	return 0;
}

void blk_log_close(struct blk_log *log)
{
	if (log->head)
		munmap(log->head, HEAD_LEN + BLK_LOG_BYTES);
	log->head = NULL;
}

uint64_t blk_log_used(const struct blk_log *log)
{
	return log->head->end - log->head->first;
}

uint64_t blk_log_mark(const struct blk_log *log)
{
	return log->head->end;
}

bool blk_log_has_room(const struct blk_log *log, uint64_t len)
{
	return blk_log_used(log) + sizeof(struct entry) + len <= BLK_LOG_BYTES;
}

/* The bytes from @at of the ring, in one piece or two. */
static void put(struct blk_log *log, uint64_t at, const void *from, size_t len)
{
	size_t place = at % BLK_LOG_BYTES, left = BLK_LOG_BYTES - place;
	size_t n = len < left ? len : left;

	memcpy(log->ring + place, from, n);
	memcpy(log->ring, (const uint8_t *)from + n, len - n);
}

static void get(const struct blk_log *log, uint64_t at, void *to, size_t len)
{
	size_t place = at % BLK_LOG_BYTES, left = BLK_LOG_BYTES - place;
	size_t n = len < left ? len : left;

	memcpy(to, log->ring + place, n);
	memcpy((uint8_t *)to + n, log->ring, len - n);
}

void blk_log_add(struct blk_log *log, uint64_t offset, const void *buf, uint64_t len)
{
	const struct entry e = { offset, len };
	uint64_t at = log->head->end;

	put(log, at, &e, sizeof(e));
	put(log, at + sizeof(e), buf, len);
	/* A kill before this: the write has no answer yet either. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	log->head->end = at + sizeof(e) + len;
}

void blk_log_drop(struct blk_log *log)
{
	log->head->first = log->head->end = 0;
}

void blk_log_flushed(struct blk_log *log, uint64_t mark)
{
	/* Flushes may end in another order than they began. */
	if (mark > log->head->first)
		log->head->first = mark;
}

int blk_log_each(const struct blk_log *log, void *buf,
		 int (*redo)(void *arg, uint64_t offset, void *buf, uint64_t len), void *arg)
{
	uint64_t at = log->head->first, left = log->head->end - at;
	int rc = 0;

	if (left > BLK_LOG_BYTES)
		return -EBADMSG;
	while (rc == 0 && left) {
		struct entry e;

		if (left < sizeof(e))
			return -EBADMSG;
		get(log, at, &e, sizeof(e));
		left -= sizeof(e);
		if (e.len > left)
			return -EBADMSG;
		get(log, at + sizeof(e), buf, e.len);
		at += sizeof(e) + e.len;
		left -= e.len;
		rc = redo(arg, e.offset, buf, e.len);
	}
	return rc;
}
