/* SPDX-License-Identifier: MIT */
/* blk_image.c - raw files and block devices as disk images: see blk_image.h. */
#include "blk_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

static int explain(int rc, char *why, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int explain(int rc, char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return rc;
}

static int measure(struct blk_image *img, const char *path, char *why, size_t len)
{
	uint64_t bytes;
	unsigned int phys = BLK_SECTOR;
	struct stat st;

	if (fstat(img->fd, &st) < 0)
		return explain(-EINVAL, why, len, "disk %s: %s", path, strerror(errno));
	img->is_device = S_ISBLK(st.st_mode);
	if (!img->is_device && !S_ISREG(st.st_mode))
		return explain(-EINVAL, why, len, "disk %s is neither a file nor a block device",
			       path);
	bytes = (uint64_t)st.st_size;
	if (img->is_device && ioctl(img->fd, BLKGETSIZE64, &bytes) < 0)
		return explain(-EINVAL, why, len, "disk %s: %s", path, strerror(errno));
	if (bytes == 0)
		return explain(-EINVAL, why, len, "disk %s is empty", path);
	if (bytes % BLK_SECTOR)
		return explain(-EINVAL, why, len,
			       "disk %s: its size, %llu bytes, is not a multiple of 512", path,
			       (unsigned long long)bytes);
	if (img->is_device)
		ioctl(img->fd, BLKPBSZGET, &phys);
	img->physical_sector = phys;
	img->sectors = bytes / BLK_SECTOR;
	/* Holes in files need no privilege; discarding a device's blocks is not offered. */
	img->can_discard = !img->is_device && !img->readonly;
	return 0;
}

int blk_image_open(struct blk_image *img, const char *path, bool readonly, bool shared, char *why,
		   size_t len)
{
	int flags = (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, rc;
	struct stat st;

	*img = (struct blk_image){.fd = -1, .readonly = readonly};
	/* On a block device O_EXCL asks the kernel's own question: mounted, or in use as a whole?
	 */
	if (!readonly && !shared && stat(path, &st) == 0 && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	img->fd = open(path, flags);
	if (img->fd < 0 && errno == EBUSY)
		return explain(-EAGAIN, why, len, "device %s is in use: unmount it in dom0 first",
			       path);
	if (img->fd < 0)
		return explain(-EINVAL, why, len, "disk %s: %s", path, strerror(errno));
	rc = measure(img, path, why, len);
	if (rc == 0 && !shared && flock(img->fd, (readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0)
		rc = explain(-EAGAIN, why, len, "image %s is already in use by another domain",
			     path);
	if (rc < 0)
		blk_image_close(img);
	return rc;
}

void blk_image_close(struct blk_image *img)
{
	if (img->fd >= 0)
		close(img->fd);
	img->fd = -1;
}

int blk_image_read(const struct blk_image *img, uint64_t sector, void *buf, size_t len)
{
	off_t at = (off_t)(sector * BLK_SECTOR);

	while (len) {
		ssize_t n = pread(img->fd, buf, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* 0: somebody made the file shorter */
			return n < 0 ? -errno : -EIO;
		buf = (char *)buf + n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int blk_image_write(const struct blk_image *img, uint64_t sector, const void *buf, size_t len)
{
	off_t at = (off_t)(sector * BLK_SECTOR);

	while (len) {
		ssize_t n = pwrite(img->fd, buf, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		buf = (const char *)buf + n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int blk_image_flush(const struct blk_image *img)
{
	return fdatasync(img->fd) < 0 ? -errno : 0;
}

int blk_image_discard(const struct blk_image *img, uint64_t sector, uint64_t nr_sectors)
{
	if (!img->can_discard)
		return -EOPNOTSUPP;
	if (nr_sectors == 0)
		return 0;
	if (fallocate(img->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(sector * BLK_SECTOR), (off_t)(nr_sectors * BLK_SECTOR)) < 0)
		return -errno;
	return 0;
}
