/* SPDX-License-Identifier: MIT */
/*
 * loss_record.h - why a name is in the list of what was lost, as database "lost" keeps it by path
 * (path_key.h). Pure; a reader trusts nothing. Layout: docs/store-format.md.
 */
#ifndef XENSTORED_LOSS_RECORD_H
#define XENSTORED_LOSS_RECORD_H

#include "disk.h"

#define LOSS_RECORD_MAX (32 + 3072)

/* Writes the sealed value for @key to @out of LOSS_RECORD_MAX bytes. Its length. */
size_t loss_record_write(const struct disk_lost *l, const void *key, size_t key_len, void *out);
/* 0 or -EBADMSG. */
int loss_record_read(const void *key, size_t key_len, const void *value, size_t len,
		     struct disk_lost *out);

#endif
