/* SPDX-License-Identifier: MIT */
/*
 * disk_spec.h - one entry of disk = [ ... ]: both spellings into one meaning. Pure.
 *
 *   xm:  file:/path,xvda,w    phy:/dev/vg/x,xvda1,r    tap:aio:/path,xvda,w!
 *   xl:  /path,raw,xvda,rw    format=raw, vdev=xvda, access=rw, target=/path
 * Source: xl-disk-configuration(5); xm's example configurations.
 */
#ifndef XM_DISK_SPEC_H
#define XM_DISK_SPEC_H

#include <stdbool.h>

#include "spec_error.h"

#define DISK_PATH_MAX 1023
#define DISK_VDEV_MAX 15

enum disk_backend {
	DISK_UNKNOWN, /* not said: a block device is phy:, anything else file: */
	DISK_FILE,
	DISK_PHY,
	DISK_NR
};

struct disk_spec {
	enum disk_backend backend;
	char path[DISK_PATH_MAX + 1]; /* absolute */
	char vdev[DISK_VDEV_MAX + 1]; /* as the guest names it: xvda, xvdb2, sda, hdc, d0p1 */
	bool writable;
	bool shared; /* w!: no exclusive lock */
};

/*
 * Reads @text (any bytes) into @disk. Returns 0, or -EINVAL with @err one line in the user's words
 * that names the part at fault and how to write it; -ENOTSUP when the spec is right but asks for a
 * format or device this system has not got (@err says which).
 */
int disk_spec_parse(const char *text, struct disk_spec *disk, char err[SPEC_ERROR_LEN]);

/* "file" or "phy"; NULL for DISK_UNKNOWN. */
const char *disk_backend_name(enum disk_backend backend);

/* "r", "w" or "w!", as records say it. */
const char *disk_mode_name(const struct disk_spec *disk);

/* Whether @vdev is a name a guest's disk can have. */
bool disk_vdev_is_valid(const char *vdev);

#endif
