/* SPDX-License-Identifier: MIT */
/*
 * stream_sum.h - what makes a saved domain whole: a CRC-32C behind each record and, before the end,
 * counts and a second checksum, of another polynomial, of everything.
 *
 * Both are records of the stream that a reader of Xen's may skip. Of files of our version 2 each is
 * required, and nothing of a record is used before its checksum was compared.
 */
#ifndef XEND_STREAM_SUM_H
#define XEND_STREAM_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "stream.h"

/* STREAM_CHECK, behind every other record. */
struct stream_check {
	uint32_t crc;			/* CRC-32C of all since the last check, headers too */
	uint32_t number;		/* of the record, from 0; wraps */
};

/* STREAM_DIGEST, before the end, with a check of its own. */
struct stream_digest {
	uint64_t nr_bytes;		/* from the image's header to here, checks too */
	uint32_t nr_records;		/* without the checks */
	uint32_t crc32;			/* of those bytes, IEEE 802.3's polynomial */
};

/* One side of a stream. Zeroed at its start. */
struct stream_sum {
	uint32_t crc;
	uint32_t nr_records;
	uint64_t nr_bytes;
	uint32_t crc32;
};

/* @len bytes that were written or read. */
void stream_sum_add(struct stream_sum *s, const void *data, size_t len);

/* Begins the next record: what belongs behind the one that ends here. */
struct stream_check stream_sum_check(struct stream_sum *s);

struct stream_digest stream_sum_digest(const struct stream_sum *s);

#endif
