/* SPDX-License-Identifier: MIT */
/*
 * xs_bulk_reader.h - the records of a stream of CONTROL dump or feed, one by one.
 */
#ifndef STOREVISOR_XS_BULK_READER_H
#define STOREVISOR_XS_BULK_READER_H

#include <stddef.h>

#include "xs_bulk.h"

#define XS_BULK_PERMS_LEN_MAX 65536u

/* One record; pointers are valid during the call only and end with no NUL. */
struct xs_bulk_view {
	struct xs_bulk rec;
	const char *name, *value, *prev, *perms;
};

struct xs_bulk_reader {
	char *data; /* an incomplete record */
	size_t len, size;
};

/* 0 to go on, else xs_bulk_read() returns it. */
typedef int xs_bulk_fn(void *arg, const struct xs_bulk_view *v);

/*
 * Takes the next @len bytes and calls @fn for each record that is complete. Returns 0, what @fn
 * returned, -ENOMEM, or -EPROTO: these are no records.
 */
int xs_bulk_read(struct xs_bulk_reader *r, const char *data, size_t len, xs_bulk_fn *fn,
		 void *arg);
void xs_bulk_reader_fini(struct xs_bulk_reader *r);

#endif
