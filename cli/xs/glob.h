/* SPDX-License-Identifier: MIT */
/*
 * glob.h - patterns over store paths: * within a name, ** over any number of names.
 */
#ifndef STOREVISOR_XS_GLOB_H
#define STOREVISOR_XS_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Whether @path as a whole matches @pattern. */
bool glob_match(const char *pattern, const char *path);
bool glob_is_pattern(const char *s);
/* Length of the longest leading path of @pattern without wildcards: where to start looking. */
size_t glob_base_len(const char *pattern);

#endif
