/* SPDX-License-Identifier: MIT */
/* long_part.h - parts of long values, for long_value.c, long_join.c and long_store.c only. */
#ifndef STOREVISOR_XS_LONG_PART_H
#define STOREVISOR_XS_LONG_PART_H

#include "long_value.h"

#define LONG_NAME_MAX 11   /* "/@ff1048575" */
#define LONG_PART_MAX 2000 /* bytes: with its name within a guest's quota for a node */

/* Bytes of a part of @path, which is not above LONG_PATH_MAX; all but the last have as many. */
size_t long_part_size(const char *path);
/* The path of part @i of @path. */
void long_part_path(char out[LONG_PATH_MAX + LONG_NAME_MAX + 1], const char *path, size_t i);
/* Whether @value is what @m is the mark of. */
bool long_is_whole(const struct long_mark *m, const char *value, size_t len);
/*
 * What the mark @mark stands for, which READ of @path in @tx gave: malloc'd, with a NUL behind its
 * *@len bytes. NULL: it is none (*@rc is 0), or -errno: -EAGAIN, the transaction is gone. Waits.
 */
char *long_join(uint32_t tx, const char *path, const char *mark, size_t *len, int *rc);

#endif
