/* SPDX-License-Identifier: MIT */
/*
 * rev_record.h - what a revision changed, as database "rev" keeps it: one record for each node, by
 * (revision, index). Pure; a reader trusts nothing. Layout: docs/store-format.md.
 */
#ifndef XENSTORED_REV_RECORD_H
#define XENSTORED_REV_RECORD_H

#include <stdbool.h>

#include "change_record.h"

#define REV_KEY CHANGE_KEY	/* change_key(), change_key_read() */

struct rev_record {
	uint8_t op;		/* enum change_op */
	bool below;		/* it went with a node above it */
	uint64_t time_ns, prev;	/* as of struct change */
	struct change_who who;
	const char *path;	/* the caller's, or in the record */
	uint16_t path_len;
};

#define REV_RECORD_MAX (64 + 3072)

/* Writes the sealed value for @key to @out of REV_RECORD_MAX bytes. Its length. */
size_t rev_record_write(const struct rev_record *r, const unsigned char key[REV_KEY], void *out);
/* 0 or -EBADMSG. */
int rev_record_read(const unsigned char key[REV_KEY], const void *value, size_t len,
		    struct rev_record *out);

#endif
