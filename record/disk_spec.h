/* SPDX-License-Identifier: MIT */
/*
 * disk_spec.h - one entry of disk = [ ... ]: both spellings into one meaning. Pure.
 *
 *   xm:  file:/path,xvda,w    phy:/dev/vg/x,xvda1,r    tap:aio:/path,xvda,w!
 *   xl:  /path,raw,xvda,rw    format=raw, vdev=xvda, access=rw, cache=none, target=/path
 *   both, in the place of a path, the name of a disk on another machine (remote_name.h)
 *   a format before the path (qcow2:/path, tap:vhd:/path) or as format=, and the files that an
 *   image of one may stand on, backing=/path, once for each
 * Source: xl-disk-configuration(5); xm's example configurations.
 */
#ifndef STOREVISOR_DISK_SPEC_H
#define STOREVISOR_DISK_SPEC_H

#include <stdbool.h>

#include "disk_cache.h"
#include "disk_format.h"
#include "spec_error.h"
#include "vdev.h"

#define DISK_PATH_MAX VDEV_PATH_MAX
#define DISK_VDEV_MAX 31
#define DISK_BACKING_MAX 1023
#define DISK_BACKING_FILES 8

struct disk_spec {
	enum vdev_backend backend;
	char path[DISK_PATH_MAX + 1]; /* absolute; of one on another machine its URI */
	char vdev[DISK_VDEV_MAX + 1]; /* as the guest names it: xvda, xvdb2, sda, d0p1, 51712 */
	uint32_t number;	      /* the guest's virtual device */
	unsigned int item;	      /* its place in the record: disk/@item */
	bool writable;
	bool shared; /* w!: no exclusive lock */
	enum disk_cache cache;
	enum disk_format format;
	char backing[DISK_BACKING_MAX + 1]; /* absolute paths with commas between */
};

/* disk_spec_parse() of a drive with no medium in it: a paravirtual guest has no use for one. */
#define DISK_SPEC_NOTHING 1

/*
 * Reads @text (any bytes) into @disk; relative paths are taken from directory @base (NULL: they are
 * refused). Returns 0 or DISK_SPEC_NOTHING, @err then "" or a remark in the user's words; -EINVAL
 * with @err one line that names the part at fault and how to write it; -ENOTSUP when the spec is
 * right but asks for a format or device this system has not got (@err says which).
 */
int disk_spec_parse(const char *text, const char *base, struct disk_spec *disk,
		    char err[SPEC_ERROR_LEN]);

/*
 * What of @disk cannot be together, in the user's words, and the key at fault in @*key; NULL:
 * nothing.
 */
const char *disk_spec_clash(const struct disk_spec *disk, const char **key);

/* "file", "phy", "nbd" or "iscsi"; "file" as well when nothing was said. */
const char *disk_backend_name(enum vdev_backend backend);

/* "r", "w" or "w!", as records say it. */
const char *disk_mode_name(const struct disk_spec *disk);

#endif
