/* SPDX-License-Identifier: MIT */
/*
 * bulk_priv.h - what bulk.c and feed.c share: making records, sending them. No state.
 */
#ifndef XENSTORED_BULK_PRIV_H
#define XENSTORED_BULK_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "xs_bulk.h"

struct buf;
struct conn;
struct perms;

/* What follows the header; pointers are never NULL but @perms: none are sent then. */
struct bulk_parts {
	const char *name, *value, *prev;
	size_t name_len, value_len, prev_len;
	const struct perms *perms;
};

struct bulk_stream {
	uint32_t req_id;   /* of the request that these are replies to */
};

/* Appends one record to @out; fills in the lengths of @rec. 0 or -ENOMEM. */
int bulk_add(struct buf *out, struct xs_bulk *rec, const struct bulk_parts *p);

/* Sends from the front of @bytes in messages until at most @keep are left. 0 or -ENOMEM. */
int bulk_send(struct conn *c, const struct bulk_stream *s, struct buf *bytes, size_t keep);

#endif
