/* SPDX-License-Identifier: MIT */
/*
 * disk.h - a disk that loses power: replays a trace of iotrace.h and makes, for any point of it,
 * directories as a power cut there may leave them. What was synced is there. Of each write since
 * the file's last sync any sectors may be there or not. Names change in order, up to at least the
 * last sync of a directory.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

enum disk_tear {
	DISK_NONE,	/* nothing that was not synced */
	DISK_ALL,	/* everything: the daemon was killed, the machine went on */
	DISK_PREFIX,	/* unsynced writes in order, the last one torn */
	DISK_SUBSET,	/* any subset, torn */
};

/* Reads the trace in @file about changes below the directory @root. */
struct disk *disk_open(const char *file, const char *root);
void disk_close(struct disk *d);

/* Goes one event on. False at the end. */
bool disk_step(struct disk *d);

/* Numbers of the last change acknowledged, and of the last one asked for, so far. */
uint64_t disk_acked(const struct disk *d);
uint64_t disk_sent(const struct disk *d);
/* Whether a write has not been synced. */
bool disk_dirty(const struct disk *d);

/* Fills directory @dir; @sector: bytes that are written or not as one. @rnd(n): below n. */
void disk_image(const struct disk *d, const char *dir, enum disk_tear tear, size_t sector,
		unsigned int (*rnd)(unsigned int n));

#endif
