/* SPDX-License-Identifier: MIT */
/* disk_marker.c - see disk_marker.h. No lock. */
#include "disk_marker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"

#define BLOCK 4096u
#define WORD 9				/* " CRC" */

/* Past the page cache; a file whose file system cannot do that, by it, and out of it again. */
static int open_it(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 || errno != EINVAL)
		return fd < 0 ? -errno : fd;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return -EINVAL;
	}
	return fd < 0 ? -errno : fd;
}

/* Where place @i is: the first and the last block among them. */
static off_t place(off_t size, unsigned int i)
{
	uint64_t blocks = (uint64_t)size / BLOCK;

	return blocks ? (off_t)((blocks - 1) * i / (DISK_MARKER_PLACES - 1) * BLOCK) : 0;
}

static int read_places(int fd, off_t size, char *block, char *out)
{
	for (unsigned int i = 0; i < DISK_MARKER_PLACES; i++) {
		ssize_t n;

		memset(block, 0, BLOCK);
		n = pread(fd, block, BLOCK, place(size, i));
		if (n < 0)
			return -errno;
		out += snprintf(out, WORD + 1, " %08" PRIx32, crc32c(0, block, BLOCK));
	}
	return 0;
}

int disk_marker_read(const char *path, char out[DISK_MARKER_MAX])
{
	int fd = open_it(path), err = 0;
	void *block = NULL;
	off_t size;

	if (fd < 0)
		return fd;
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		err = -errno;
	else if (posix_memalign(&block, BLOCK, BLOCK))
		err = -ENOMEM;
	if (!err)
		err = read_places(fd, size, block, out + snprintf(out, 24, "%" PRIu64, (uint64_t)size));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	free(block);
	close(fd);
	return err;
}

static bool is_marker(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 20 || strlen(text + digits) != DISK_MARKER_PLACES * WORD)
		return false;
	for (text += digits; *text; text += WORD) {
		if (text[0] != ' ' || strspn(text + 1, "0123456789abcdef") < WORD - 1)
			return false;
	}
	return true;
}

enum disk_marker_like disk_marker_compare(const char *theirs, const char *ours)
{
	static const char zeros[BLOCK];
	unsigned int nr_used = 0, nr_other = 0;
	size_t size = strcspn(ours, " ");
	char nothing[WORD + 1];

	if (!is_marker(theirs) || !is_marker(ours))
		return DISK_MARKER_NONE;
	if (strcspn(theirs, " ") != size || strncmp(theirs, ours, size))
		return DISK_MARKER_OTHER_SIZE;
	snprintf(nothing, sizeof(nothing), " %08" PRIx32, crc32c(0, zeros, BLOCK));
	for (size_t at = size; ours[at]; at += WORD) {
		bool is_used = strncmp(theirs + at, nothing, WORD) || strncmp(ours + at, nothing, WORD);

		nr_used += is_used;
		nr_other += is_used && strncmp(theirs + at, ours + at, WORD);
	}
	return nr_other * 2 > nr_used ? DISK_MARKER_OTHER_CONTENT : DISK_MARKER_SAME;
}
