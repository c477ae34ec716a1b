/* SPDX-License-Identifier: MIT */
/* numbered.h - files of a directory whose names are a number between fixed parts. No state. */
#ifndef XENSTORED_NUMBERED_H
#define XENSTORED_NUMBERED_H

#include <stdint.h>

struct numbered {
	const char *prefix, *suffix;
};

/* Directories of more than some 400 bytes are refused when the daemon starts. */
#define NUMBERED_PATH 600

/* The path of file @number in @dir: twenty digits, so that names sort as numbers. */
void numbered_path(const struct numbered *n, const char *dir, uint64_t number,
		   char out[NUMBERED_PATH]);

/*
 * Calls @each with the number of every such file, smallest first, till the first answer that is
 * not 0, which is returned. A number of more than 56 bits is none; a directory that is not there
 * has none. 0, -ENOMEM, -EIO.
 */
int numbered_each(const struct numbered *n, const char *dir,
		  int (*each)(void *arg, uint64_t number), void *arg);

/* The largest number of them in *@last; 0: there are none. As numbered_each(). */
int numbered_last(const struct numbered *n, const char *dir, uint64_t *last);

#endif
