/* SPDX-License-Identifier: MIT */
/*
 * disk_priv.h - the opened durable side; shared by disk.c, disk_start.c, disk_room.c,
 * disk_compact.c and generations.c.
 */
#ifndef XENSTORED_DISK_PRIV_H
#define XENSTORED_DISK_PRIV_H

#include <sys/types.h>

#include "disk.h"
#include "disk_apply.h"
#include "disk_env.h"
#include "disk_log.h"
#include "numbered.h"

#define DISK_PATH NUMBERED_PATH

struct disk {
	struct disk_config cfg;
	char store_dir[DISK_PATH], path[DISK_PATH];
	char copy_path[DISK_PATH];	/* of what is read when nothing can be written */
	struct disk_env env;
	struct applying applying;	/* of the open transaction */
	uint64_t applied;	/* last revision on the disk, also while it cannot be opened */
	struct disk_log log;
	int fd;			/* of data.mdb, to allocate by; -1 */
	uint64_t allocated;	/* bytes of it */
	uint64_t written;	/* bytes of it that were written once, at least; see disk_room.c */
	int read_only;		/* 0, or why: -Exxx */
	bool large;		/* there was a large commit since disk_rest() */
	bool degraded;		/* there are losses that nobody knows of */
	uint64_t lost_ns;	/* when the last of them was found; 0: that is not known yet */
	/* data.mdb is written anew, if pid; since which commit nothing has changed. */
	struct {
		pid_t pid;
		uint64_t commit;
		uint64_t due_ns;	/* 0: not before something has changed */
	} compact;
	/* The generation being written, if pid; or last written. */
	struct {
		pid_t pid;
		uint64_t applied;	/* its revision, at least */
		uint64_t due_ns;
		uint64_t soonest_ns;	/* not before, however much one is missed */
	} gen;
};

/* disk_start.c: fills d->env. As disk_open(). */
int disk_start(struct disk *d, struct disk_found *found);

/* disk_room.c: opens d->fd and takes what is allocated. */
void disk_room_init(struct disk *d);
/*
 * Whether data.mdb has twice as much of the disk as a copy of it would have, which there is room
 * for.
 */
bool disk_room_is_wasted(struct disk *d);

/*
 * disk_compact.c: ends the process that writes data.mdb anew: what it reads is about to be another
 * file.
 */
void disk_compact_stop(struct disk *d);

/* generations.c */
extern const struct numbered generation_name;
/* STATE/store/generations. */
void generation_dir(const struct disk *d, char out[DISK_PATH]);
/* The newest one's revision, 0: none. 0, -ENOMEM, -EIO. */
int generation_newest(const struct disk *d, uint64_t *rev);
/* Ends the process that writes one: what it reads is about to be another file. */
void generation_stop(struct disk *d);
/* Makes @path, a whole file that nobody will write again, a generation too. */
void generation_keep(struct disk *d, const char *path, uint64_t applied);

#endif
