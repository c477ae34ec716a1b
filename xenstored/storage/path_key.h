/* SPDX-License-Identifier: MIT */
/*
 * path_key.h - a node's path as a key of LMDB, which takes 511 bytes at most; paths have 3072.
 *
 * A path of up to PATH_KEY_MAX bytes is its own key. A longer one is its first PATH_KEY_HEAD
 * bytes, a byte 0xff, which no path has in it, and the SHA-256 of the whole path. Eight bytes are
 * left for a number behind it. What has such a key keeps the whole path in its record.
 *
 * Order: a path sorts before what is below it, unless that is longer than PATH_KEY_MAX. All below
 * a path P have keys that begin with the first PATH_KEY_HEAD bytes of "P/"; where "P/" is longer
 * than that, so do others.
 */
#ifndef XENSTORED_PATH_KEY_H
#define XENSTORED_PATH_KEY_H

#include <stdbool.h>
#include <stddef.h>

#define PATH_KEY_MAX	503
#define PATH_KEY_HEAD	470

/* Writes the key of the canonical path of @len (at least 1) bytes. Its length. */
size_t path_key(const char *path, size_t len, unsigned char out[PATH_KEY_MAX]);

/* Whether the key of @len bytes is the path itself. */
bool path_key_is_path(const void *key, size_t len);

/*
 * The first bytes that the keys of all nodes below the path have in common; for "/", "/". Their
 * number. Whether one of them really is below it, its path says.
 */
size_t path_key_below(const char *path, size_t len, unsigned char out[PATH_KEY_MAX]);

#endif
