/* SPDX-License-Identifier: MIT */
/*
 * disk_use.h - whether dom0 itself uses what a guest shall write to: two that write to one file
 * system destroy it. Reads /proc and /sys; a look, not a lock.
 */
#ifndef COMMON_DISK_USE_H
#define COMMON_DISK_USE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Whether dom0 has the image or device @path, or a partition of it, mounted, as a loop device, as
 * swap or under a device of its own (LVM, RAID). 0: no, or there is no such file; -EBUSY with @why
 * ("is mounted on /srv"). @root: where /proc and /sys are below, "" but in tests.
 */
int disk_use(const char *root, const char *path, char *why, size_t why_len);

/* The same of block device @dev. */
int disk_use_device(const char *root, dev_t dev, char *why, size_t why_len);

#endif
