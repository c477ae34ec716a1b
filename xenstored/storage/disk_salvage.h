/* SPDX-License-Identifier: MIT */
/*
 * disk_salvage.h - the last resort: the records of a damaged file that can still be read and are
 * whole, when no earlier state and log make up for it. Private to storage/.
 */
#ifndef XENSTORED_DISK_SALVAGE_H
#define XENSTORED_DISK_SALVAGE_H

#include "disk.h"
#include "disk_env.h"

struct disk_salvage {
	const char *path;	/* the damaged file */
	uint64_t map_size;
	/* Open write transaction: the newest state that is whole, or nothing. */
	struct disk_env *into;
	/* Called with each name that was lost, or that is as it was in @into before. */
	disk_each_lost *each;
	void *arg;
	uint64_t time_ns;
	bool complete;		/* answer: what was lost has been named, all of it */
};

/* Puts into @into what is newer there. 0; -ENOMEM, -EAGAIN; of @into as disk_env_put(). */
int disk_salvage(struct disk_salvage *s);

#endif
