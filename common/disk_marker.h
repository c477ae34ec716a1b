/* SPDX-License-Identifier: MIT */
/*
 * disk_marker.h - what a disk has at places all over it, as a line of text: two hosts tell by it
 * whether they mean the same disk. Nothing is written to it, and nothing of it stays in this host's
 * page cache, where the other host's later writes would not be seen.
 */
#ifndef COMMON_DISK_MARKER_H
#define COMMON_DISK_MARKER_H

#include <stddef.h>

#define DISK_MARKER_PLACES 64
#define DISK_MARKER_MAX (24 + DISK_MARKER_PLACES * 9)	/* with its end */

/* "BYTES CRC CRC ...", of the file or device @path. 0; -errno: it cannot be read. Reads 256 KiB. */
int disk_marker_read(const char *path, char out[DISK_MARKER_MAX]);

enum disk_marker_like {
	DISK_MARKER_SAME,
	DISK_MARKER_OTHER_SIZE,
	DISK_MARKER_OTHER_CONTENT,	/* of the places where there is anything, most have something else */
	DISK_MARKER_NONE,		/* no marker: any text of a stranger's */
};

/*
 * Whether @theirs can be of the disk that @ours, made here, is of. Its guest runs meanwhile and
 * writes: some places may differ.
 */
enum disk_marker_like disk_marker_compare(const char *theirs, const char *ours);

#endif
