/* SPDX-License-Identifier: MIT */
/*
 * record_fields.h - where each key of a record is in its structure: one table for reading and
 * writing. For record_read.c and record_write.c only.
 */
#ifndef STOREVISOR_RECORD_FIELDS_H
#define STOREVISOR_RECORD_FIELDS_H

#include <stddef.h>

enum field_kind {
	FIELD_TEXT,
	FIELD_U64,
	FIELD_UINT,
	FIELD_BOOL,   /* word 1 of the words is true */
	FIELD_WORD,   /* an enum: the index of the word */
	FIELD_UUID,
	FIELD_TARGET, /* of a disk */
	FIELD_VDEV,
	FIELD_MODE,
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t at, size;
	const char *const *words; /* NULL after the last */
};

/*
 * The keys of a record itself, of one of its disks, of one of its cards; NULL key after the last.
 */
extern const struct field record_fields[], disk_fields[], vif_fields[];

#endif
