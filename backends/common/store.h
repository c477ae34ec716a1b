/* SPDX-License-Identifier: MIT */
/*
 * store.h - typed reads and writes of DIR/KEY (xs_easy.h).
 *
 * Values are untrusted unless dom0 alone may write DIR: numbers are parsed whole and bounded,
 * strings are copied and terminated. No path is ever taken from a value by this file.
 */
#ifndef BACKENDS_STORE_H
#define BACKENDS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xs_easy.h"

/* Longest path of the protocol (XENSTORE_ABS_PATH_MAX) plus its end. */
#define STORE_PATH_MAX 3073

/*
 * Connects through the kernel's store device where there is one, else as the library would. The
 * device and not the socket: that connection outlives the store daemon's restarts, which a
 * process without rights could not follow. $XENSTORED_PATH overrides. NULL: errno.
 */
struct xs_handle *store_open(void);

/*
 * Reads a string of at most @len - 1 bytes. Returns 0; -ENOENT: no such key; -EINVAL: longer, or
 * with a NUL inside; -errno of the connection. @key may be "": then @dir itself is read.
 */
int store_read_str(struct xs_handle *xs, const char *dir, const char *key, char *buf, size_t len);

/* Reads a decimal number of at most @max. Returns as store_read_str(), -EINVAL: not such a number.
 */
int store_read_num(struct xs_handle *xs, const char *dir, const char *key, uint64_t max,
		   uint64_t *num);

/* The same for 0/1 keys with a default; anything unreadable is the default. */
bool store_read_bool(struct xs_handle *xs, const char *dir, const char *key, bool otherwise);

/* Writes a formatted value; a longer text (an error naming a long path) is cut. 0 or -errno. */
int store_write(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *key,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* 1: the node is there; 0: it is not; -errno: the store does not say. */
int store_has(struct xs_handle *xs, const char *dir);

#endif
