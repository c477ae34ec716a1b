/* SPDX-License-Identifier: MIT */
/*
 * files.h - a test's files, looked at and removed without a program being started for it: that
 * takes longer than most cases do.
 */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>

/*
 * Removes @dir and everything in it, mounts and links not followed. 0; -1 with errno when
 * something is left (a directory that never was is: ENOENT).
 */
int files_remove(const char *dir);

/* Whether @path can be read and has @text somewhere. */
bool files_contain(const char *path, const char *text);

#endif
