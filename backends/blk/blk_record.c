/* SPDX-License-Identifier: MIT */
/* blk_record.c - see blk_record.h. The keys are dom0's: store-paths.md. */
#include "blk_record.h"

#include <errno.h>
#include <string.h>

#include "nbd_name.h"
#include "remote_name.h"
#include "script_name.h"

bool blk_record_has_server(const struct blk_record *w)
{
	return remote_name_is(w->name) || w->format != DISK_FORMAT_RAW;
}

bool blk_record_has_own_server(const struct blk_record *w)
{
	return blk_record_has_server(w) && !nbd_name_is(w->name);
}

/*
 * @buf keeps what it has if dom0 says nothing. What cannot be read is no such case: an image that
 * was given to its guest as raw bytes is what that writes there.
 */
static int read_said(struct backend *be, const char *key, char *buf, size_t len)
{
	int rc = store_read_str(be->xs, be->path, key, buf, len);

	if (rc == 0 || rc == -ENOENT)
		return 0;
	if (rc == -EINVAL)
		backend_fail(be, "%s= is too long", key);
	return rc;
}

static int read_format(struct backend *be, struct blk_record *w)
{
	char format[16] = "raw";
	int rc = read_said(be, "format", format, sizeof(format));

	if (rc == 0)
		rc = read_said(be, "backing", w->backing, sizeof(w->backing));
	if (rc < 0)
		return rc;
	if (disk_format_parse(format, (int)strlen(format), &w->format) < 0) {
		backend_fail(be, "format=%s is not known: %s", format, disk_format_list);
		return -EINVAL;
	}
	if (w->format != DISK_FORMAT_RAW && (w->shared || remote_name_is(w->name))) {
		backend_fail(be, "format=%s is for a file or device of this host that nobody else "
				 "writes to", format);
		return -EINVAL;
	}
	return 0;
}

int blk_record_read(struct backend *be, struct blk_record *w)
{
	char mode[8] = "r", cache[16] = "";

	if (store_read_str(be->xs, be->path, "params", w->name, sizeof(w->name)) < 0 ||
	    (w->name[0] != '/' && !remote_name_is(w->name) && !script_name_is(w->name))) {
		backend_fail(be, "the disk has no image: target= must be an absolute path, the nbd: or "
				 "iscsi: name of one on another machine, or script:SCRIPT:WHAT");
		return -EINVAL;
	}
	store_read_str(be->xs, be->path, "mode", mode, sizeof(mode));
	w->readonly = mode[0] != 'w';
	w->shared = !store_read_bool(be->xs, be->path, "lock", true) || !strcmp(mode, "w!");
	w->lock_comes = store_read_bool(be->xs, be->path, "lock-comes", false);
	store_read_str(be->xs, be->path, "cache", cache, sizeof(cache));
	if (disk_cache_parse(cache, &w->cache) == 0)
		return read_format(be, w);
	backend_fail(be, "cache=%s is not known: none, writeback, writethrough, directsync or unsafe",
		     cache);
	return -EINVAL;
}
