/* SPDX-License-Identifier: MIT */
/*
 * checked.h - the checksum in front of every record of both environments.
 *
 * A value is its CRC32C (4 bytes, little-endian), then the record. The sum covers a letter that
 * names the database, the key and the record: a record that turns up at another key or in another
 * database is broken, not valid.
 */
#ifndef XENSTORED_CHECKED_H
#define XENSTORED_CHECKED_H

#include <stddef.h>
#include <stdint.h>

#define CHECKED_HEAD 4

/*
 * Fills the first CHECKED_HEAD bytes of @value, whose record of @len - CHECKED_HEAD bytes is
 * written already. @len counts both.
 */
void checked_seal(char db, const void *key, size_t key_len, void *value, size_t len);

/*
 * Whether the @len bytes at @value are whole; then *@record and *@record_len say where the record
 * is. Trusts none of it. 0 or -EBADMSG.
 */
int checked_open(char db, const void *key, size_t key_len, const void *value, size_t len,
		 const unsigned char **record, size_t *record_len);

/*
 * 64 bits of a whole, sealed value, for sums over many records: the sum of a set says whether one
 * of them is missing, old or there twice.
 */
uint64_t checked_digest(const void *value, size_t len);

#endif
