/* SPDX-License-Identifier: MIT */
/*
 * platter.h - a disk that loses power: replays a trace of iotrace.h and makes, for any point of it,
 * directories as a power cut there may leave them. What was synced is there. Of each write since
 * the file's last sync any sectors may be there or not. Names change in order, up to at least the
 * last sync of a directory.
 */
#ifndef PLATTER_H
#define PLATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct platter;

enum platter_tear {
	PLATTER_NONE,	/* nothing that was not synced */
	PLATTER_ALL,	/* everything: the daemon was killed, the machine went on */
	PLATTER_PREFIX,	/* unsynced writes in order, the last one torn */
	PLATTER_SUBSET,	/* any subset, torn */
};

/* Reads the trace in @file about changes below the directory @root. */
struct platter *platter_open(const char *file, const char *root);
void platter_close(struct platter *d);

/* Goes one event on. False at the end. */
bool platter_step(struct platter *d);

/* Numbers of the last change acknowledged, and of the last one asked for, so far. */
uint64_t platter_acked(const struct platter *d);
uint64_t platter_sent(const struct platter *d);

/* Fills directory @dir; @sector: bytes that are written or not as one. @rnd(n): below n. */
void platter_image(const struct platter *d, const char *dir, enum platter_tear tear, size_t sector,
		   unsigned int (*rnd)(unsigned int n));

#endif
