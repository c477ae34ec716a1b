/* SPDX-License-Identifier: MIT */
/*
 * blk_image.h - the file or block device behind a virtual disk: opening, locking, size, I/O.
 * Every path comes from dom0's record, never from the guest.
 */
#ifndef BACKENDS_BLK_IMAGE_H
#define BACKENDS_BLK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLK_SECTOR 512u

struct blk_image {
	int fd;
	bool readonly;
	bool is_device;
	bool can_discard;
	uint64_t sectors;	  /* of BLK_SECTOR bytes */
	uint32_t physical_sector; /* bytes */
};

/*
 * Opens @path. @readonly: share it with other readers; else take it exclusively unless @shared
 * (mode "w!"). On failure returns -errno and puts one line for the user into @why.
 * -EAGAIN: in use by somebody else, worth a few more tries.
 */
int blk_image_open(struct blk_image *img, const char *path, bool readonly, bool shared, char *why,
		   size_t why_len);
void blk_image_close(struct blk_image *img);

/*
 * Moves exactly @len bytes from or to sector @sector, all inside the image (checked by the
 * caller). Returns 0 or -errno; a short file reads as -EIO.
 */
int blk_image_read(const struct blk_image *img, uint64_t sector, void *buf, size_t len);
int blk_image_write(const struct blk_image *img, uint64_t sector, const void *buf, size_t len);

/* Everything written so far is on stable storage when this returns 0. */
int blk_image_flush(const struct blk_image *img);

/* Gives the storage of a range back; it reads as zeros or old data afterwards.
 * 0/-EOPNOTSUPP/-errno. */
int blk_image_discard(const struct blk_image *img, uint64_t sector, uint64_t nr_sectors);

#endif
