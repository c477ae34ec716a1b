/* SPDX-License-Identifier: MIT */
/*
 * blk_image.h - the file or block device behind a virtual disk: opening, locking, size; blk_nbd.h
 * fills in what is on another machine. Unless its record has cache=, a device is opened for direct
 * I/O: its data is not kept in dom0's memory too, and is where another host looks for it.
 * I/O is blk_io.h's.
 * Every path comes from dom0's record, never from the guest.
 */
#ifndef BACKENDS_BLK_IMAGE_H
#define BACKENDS_BLK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk_cache.h"

#define BLK_SECTOR 512u

struct blk_image {
	int fd;
	bool readonly;
	bool is_device;
	bool is_remote; /* blk_nbd.h; fd is its lock */
	bool can_discard;
	bool is_lent; /* its lock is on another host, where its guest is */
	bool direct; /* past dom0's page cache */
	bool needs_flush; /* a write that ended is not yet on stable storage */
	uint64_t sectors;	  /* of BLK_SECTOR bytes */
	uint32_t physical_sector; /* bytes */
};

/* What is to be opened, and how. */
struct blk_image_want {
	const char *path;
	bool readonly; /* shared with other readers; else taken exclusively */
	bool shared;   /* not at all (mode "w!") */
	bool lock_later; /* another host may have it still: then .is_lent, and blk_image_lock() is to come */
	bool sync;     /* whatever cache says, each write is safe when it ends */
	bool in_use;   /* a guest has it: through the page cache rather than not at all */
	enum disk_cache cache;
};

/*
 * Opens it. On failure returns -errno and puts one line for the user into @why.
 * -EAGAIN: in use by somebody else, worth a few more tries.
 */
int blk_image_open(struct blk_image *img, const struct blk_image_want *want, char *why,
		   size_t why_len);
/* Where the kernel lists this host's locks; another file in tests. */
extern const char *blk_locks;
/* Takes it for itself, a file at least. 0; -EWOULDBLOCK: somebody else has it; another -errno. */
int blk_image_lock(const struct blk_image *img);
void blk_image_close(struct blk_image *img);

/*
 * Looks at the size again: the image may have grown or shrunk. Returns whether it had.
 * Of one on another machine nothing is told while the connection lasts.
 */
bool blk_image_resized(struct blk_image *img);

/* Why a disk cannot be had, one line to @why of @len bytes. Returns @rc. */
int blk_explain(int rc, char *why, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
