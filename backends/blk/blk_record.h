/* SPDX-License-Identifier: MIT */
/* blk_record.h - what dom0 says of a disk in its backend directory, and who serves such a disk. */
#ifndef BACKENDS_BLK_RECORD_H
#define BACKENDS_BLK_RECORD_H

#include <stdbool.h>

#include "backend.h"
#include "disk_cache.h"
#include "disk_format.h"

struct blk_record {
	char name[1024]; /* of a file or device, or as remote_name.h has it */
	bool readonly, shared;
	bool lock_comes; /* with its guest, which runs on another host still */
	enum disk_cache cache;
	enum disk_format format;
	char backing[1024]; /* with commas between */
};

/*
 * Reads params, mode, lock, lock-comes, cache, format and backing. 0; -EINVAL after backend_fail();
 * another -errno: the store does not say what format it is.
 */
int blk_record_read(struct backend *be, struct blk_record *w);

/* Another machine serves it, or a process of ours that knows its format. */
bool blk_record_has_server(const struct blk_record *w);

/* A process of ours does: blk_server.h. */
bool blk_record_has_own_server(const struct blk_record *w);

#endif
