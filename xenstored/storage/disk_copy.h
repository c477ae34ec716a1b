/* SPDX-License-Identifier: MIT */
/*
 * disk_copy.h - whole copies of an environment's file, each made by a process that reads a file
 * which may be damaged. A copy is made record by record into new pages: nothing that is wrong with
 * a page outside its records gets into it. Private to storage/.
 */
#ifndef XENSTORED_DISK_COPY_H
#define XENSTORED_DISK_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "disk_env.h"

struct disk_copying {
	const char *from, *to;
	uint64_t map_size;
	bool beside;	/* @from is being written by another process */
	bool synced;	/* the copy is to last */
};

/*
 * The work itself, for in_child(); @arg: a struct disk_copying. 0: @from is whole, and so is @to.
 * -EBADMSG: @from is damaged; -ENOENT: there is none; -EPROTONOSUPPORT; of @to -ENOSPC, -EROFS,
 * -EACCES, -EIO. @to is removed again unless the answer is 0.
 */
int disk_copy(void *arg);

/* The same without a copy: @to is not looked at. */
int disk_check(void *arg);

/* What a file says of itself, as far as it can be read; in a process of its own. 0 or -Exxx. */
struct disk_facts {
	uint64_t applied;
	uint64_t nodes, digest;	/* number of nodes, digest of their records */
	unsigned char id[DISK_ID];
	bool newest;	/* the root that led there is the summary's; else one of before, torn */
};
int disk_look(const char *path, uint64_t map_size, struct disk_facts *out);

/* Makes the names in @dir last over a loss of power. 0 or -EIO. */
int disk_sync_dir(const char *dir);
/* Gives the file @from the name @to, which both last. 0 or -Exxx. */
int disk_rename(const char *from, const char *to, const char *dir);

#endif
