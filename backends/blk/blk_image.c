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
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fs.h>

int blk_explain(int rc, char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return rc;
}

/* cache=: past the page cache; each write at once on stable storage; the guest is to flush. */
static const struct {
	bool direct, sync, flushes;
} caching[] = {
	[DISK_CACHE_DEFAULT] = { false, false, true },
	[DISK_CACHE_NONE] = { true, false, true },
	[DISK_CACHE_WRITEBACK] = { false, false, true },
	[DISK_CACHE_WRITETHROUGH] = { false, true, false },
	[DISK_CACHE_DIRECTSYNC] = { true, true, false },
	[DISK_CACHE_UNSAFE] = { false, false, false },
};

/*
 * What the kernel says of it, if it does (Linux 6.1). A read proves less: ext4 on a device with
 * sectors of 4,096 bytes reads any size past the page cache, and writes none but its own.
 */
static bool says_larger(const struct blk_image *img)
{
	struct statx st;

	return statx(img->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) == 0 &&
	       st.stx_mask & STATX_DIOALIGN &&
	       (st.stx_dio_offset_align == 0 || st.stx_dio_offset_align > BLK_SECTOR ||
		st.stx_dio_mem_align > BLK_SECTOR);
}

/*
 * Requests are of 512 bytes and more, which not all devices and file systems take directly. One is
 * tried, too, where nothing is said of it: not the first if there are two. A sector that is
 * damaged, or memory that is short, says nothing about it.
 */
static bool takes_sectors(const struct blk_image *img)
{
	off_t at = img->sectors > 1 ? BLK_SECTOR : 0;
	_Alignas(BLK_SECTOR) char sector[2 * BLK_SECTOR];
	/* Aligned to a sector, and to no more. */
	char *to = (uintptr_t)sector % (2 * BLK_SECTOR) ? sector : sector + BLK_SECTOR;

	if (says_larger(img))
		return false;
	return pread(img->fd, to, BLK_SECTOR, at) >= 0 || (errno != EINVAL && errno != EOPNOTSUPP);
}

/*
 * Opened not to wait for a tape or a modem; from here on waiting is right, and what io_uring takes
 * for "refuse instead of waiting". A device that cannot goes through the page cache, unless its
 * record says otherwise; what a running guest has, in any case.
 */
static int set_direct(struct blk_image *img, const struct blk_image_want *w, char *why, size_t len)
{
	int flags = fcntl(img->fd, F_GETFL) & ~O_NONBLOCK;
	bool asked = caching[w->cache].direct;

	if (asked || (img->is_device && w->cache == DISK_CACHE_DEFAULT))
		img->direct = fcntl(img->fd, F_SETFL, flags | O_DIRECT) == 0 && takes_sectors(img);
	if (!img->direct)
		fcntl(img->fd, F_SETFL, flags);
	if (asked && !img->direct && !w->in_use)
		return blk_explain(-EINVAL, why, len,
			       "disk %s cannot be used past the page cache in sectors of 512 bytes: "
			       "cache=%s is not possible, cache=%s is",
			       w->path, disk_cache_words[w->cache],
			       disk_cache_words[caching[w->cache].sync ? DISK_CACHE_WRITETHROUGH :
									 DISK_CACHE_WRITEBACK]);
	return 0;
}

/* A file of the device's queue in sysfs, or of its whole disk's, if it is a partition. */
static FILE *open_queue(const struct stat *st, const char *name)
{
	static const char *const where[] = { "", "/.." };
	FILE *f = NULL;

	for (size_t i = 0; i < 2 && !f; i++) {
		char path[96];

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u%s/queue/%s", major(st->st_rdev),
			 minor(st->st_rdev), where[i], name);
		f = fopen(path, "re");
	}
	return f;
}

/* Does the device give storage back? */
static bool device_discards(const struct stat *st)
{
	FILE *f = open_queue(st, "discard_max_bytes");
	unsigned long long most = 0;

	if (!f)
		return false;
	if (fscanf(f, "%llu", &most) != 1)
		most = 0;
	fclose(f);
	return most > 0;
}

/* Is what the device has taken safe at once? Linux then sends it no flush either. */
static bool device_writes_through(const struct stat *st)
{
	FILE *f = open_queue(st, "write_cache");
	char word[16] = "";
	bool through;

	if (!f)
		return false;
	through = fgets(word, sizeof(word), f) && !strcmp(word, "write through\n");
	fclose(f);
	return through;
}

static int measure(struct blk_image *img, const struct blk_image_want *w, char *why, size_t len)
{
	const char *path = w->path;
	uint64_t bytes;
	unsigned int phys = BLK_SECTOR;
	struct stat st;

	if (fstat(img->fd, &st) < 0)
		return blk_explain(-EINVAL, why, len, "disk %s: %s", path, strerror(errno));
	img->is_device = S_ISBLK(st.st_mode);
	if (!img->is_device && !S_ISREG(st.st_mode))
		return blk_explain(-EINVAL, why, len, "disk %s is neither a file nor a block device",
				   path);
	bytes = (uint64_t)st.st_size;
	if (img->is_device && ioctl(img->fd, BLKGETSIZE64, &bytes) < 0)
		return blk_explain(-EINVAL, why, len, "disk %s: %s", path, strerror(errno));
	if (bytes == 0)
		return blk_explain(-EINVAL, why, len, "disk %s is empty", path);
	if (bytes % BLK_SECTOR)
		return blk_explain(-EINVAL, why, len,
				   "disk %s: its size, %llu bytes, is not a multiple of 512", path,
				   (unsigned long long)bytes);
	img->sectors = bytes / BLK_SECTOR;
	if (img->is_device)
		ioctl(img->fd, BLKPBSZGET, &phys);
	img->physical_sector = phys;
	if (set_direct(img, w, why, len) < 0)
		return -EINVAL;
	img->needs_flush = caching[w->cache].flushes && !w->sync &&
			   !(img->is_device && img->direct && device_writes_through(&st));
	img->can_discard = !img->readonly && (!img->is_device || device_discards(&st));
	return 0;
}

const char *blk_locks = "/proc/locks";

/* Whether a process of this host has it: other hosts' locks the kernel does not list. */
static bool is_locked_here(const struct blk_image *img)
{
	FILE *f = fopen(blk_locks, "re");
	char line[256], file[64];
	bool is = false;
	struct stat st;

	if (!f)
		return true;
	if (fstat(img->fd, &st) == 0)
		snprintf(file, sizeof(file), " %02x:%02x:%llu ", major(st.st_dev), minor(st.st_dev),
			 (unsigned long long)st.st_ino);
	else
		file[0] = '\0';
	while (!is && fgets(line, sizeof(line), f))
		is = strstr(line, " FLOCK ") && strstr(line, file);
	fclose(f);
	return is;
}

int blk_image_lock(const struct blk_image *img)
{
	return flock(img->fd, (img->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) ? -errno : 0;
}

static int lock_or_lend(struct blk_image *img, const struct blk_image_want *w, char *why, size_t len)
{
	int rc = blk_image_lock(img);

	if (rc < 0 && rc != -EWOULDBLOCK)
		return blk_explain(-EAGAIN, why, len, "image %s cannot be locked: %s", w->path, strerror(-rc));
	img->is_lent = rc < 0;
	if (img->is_lent && (!w->lock_later || is_locked_here(img)))
		return blk_explain(-EAGAIN, why, len, "image %s is already in use by another domain", w->path);
	return 0;
}

int blk_image_open(struct blk_image *img, const struct blk_image_want *w, char *why, size_t len)
{
	int flags = (w->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, rc;
	struct stat st;

	*img = (struct blk_image){ .fd = -1, .readonly = w->readonly };
	/* On a block device O_EXCL asks the kernel's own question: mounted, or in use as a whole?
	 */
	if (!w->readonly && !w->shared && stat(w->path, &st) == 0 && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	if (caching[w->cache].sync || w->sync)
		flags |= O_DSYNC;
	img->fd = open(w->path, flags);
	if (img->fd < 0 && errno == EBUSY)
		return blk_explain(-EAGAIN, why, len, "device %s is in use: unmount it in dom0 first",
				   w->path);
	if (img->fd < 0)
		return blk_explain(-EINVAL, why, len, "disk %s: %s", w->path, strerror(errno));
	rc = measure(img, w, why, len);
	if (rc == 0 && !w->shared)
		rc = lock_or_lend(img, w, why, len);
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

bool blk_image_resized(struct blk_image *img)
{
	off_t bytes = img->is_remote ? 0 : lseek(img->fd, 0, SEEK_END);

	/* A file that is being made longer may end anywhere for a moment. */
	if (bytes <= 0 || (uint64_t)bytes / BLK_SECTOR == img->sectors)
		return false;
	img->sectors = (uint64_t)bytes / BLK_SECTOR;
	return true;
}
