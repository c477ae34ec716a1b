/* SPDX-License-Identifier: MIT */
/*
 * record_load.h - the keys of a record from the store, over libxenstore's API.
 */
#ifndef STOREVISOR_RECORD_LOAD_H
#define STOREVISOR_RECORD_LOAD_H

#include <xenstore.h>

#include "record_keys.h"

/*
 * Reads the record of @name into @keys (empty) inside transaction @t, which the caller commits:
 * only a commit says that what was read is of one moment. 0; -ENOENT when there is none; -errno.
 */
int record_load_in(struct xs_handle *xs, xs_transaction_t t, const char *name,
		   struct record_keys *keys);

/* The same in a transaction of its own, tried again until it is of one moment. */
int record_load(struct xs_handle *xs, const char *name, struct record_keys *keys);

#endif
