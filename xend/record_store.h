/* SPDX-License-Identifier: MIT */
/*
 * record_store.h - xend's own dealings with /config/domain/NAME: reading a record (record/) and the
 * few things xend writes there.
 */
#ifndef XEND_RECORD_STORE_H
#define XEND_RECORD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

#include "record.h"

struct txn;

/*
 * Reads and checks the record of @name, of one moment. 0, -ENOENT when there is none, -errno of the
 * store, or -EINVAL with @why (@why_len bytes): all that is wrong, in one line. Even then @r is
 * whole, what is wrong counting as absent.
 */
int record_read(struct xs_handle *xs, const char *name, struct record *r, char *why,
		size_t why_len);

/* Whether both say the same in all; not, without memory. */
bool record_same(const struct record *a, const struct record *b);

/*
 * Sets power=off unless the record is gone meanwhile. 0 or -errno.
 */
int record_power_off(struct xs_handle *xs, const char *name);

/* The domain's end, in a transaction that tells of it: the record is removed, or switched off. */
void record_end_in(struct txn *tx, const char *name, bool removes);

/* Removes saved=. 0 or -errno. */
int record_forget_saved(struct xs_handle *xs, const char *name);

/*
 * Gives a record without one a random uuid, if nobody else has. -ENOENT: it is gone, and stays so.
 */
int record_ensure_uuid(struct xs_handle *xs, struct record *r);

#endif
