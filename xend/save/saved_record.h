/* SPDX-License-Identifier: MIT */
/* saved_record.h - a domain's record as the head of a saved domain's file carries it. */
#ifndef XEND_SAVED_RECORD_H
#define XEND_SAVED_RECORD_H

#include <xenstore.h>

struct saved_head;

/*
 * Fills in @h->record from the record of @name, in one view of the store: all keys but the
 * switches that say what is to happen now (power, saved). 0; -ENOENT; -E2BIG; -errno.
 */
int saved_record_read(struct xs_handle *xs, const char *name, struct saved_head *h);

/* One pair more. 0; -E2BIG, -ENOMEM: @h is as it was. */
int saved_record_add(struct saved_head *h, const char *key, const char *value);

/* Whether it is @h->record in transaction @t: 1, 0 or -errno of the store. */
int saved_record_is(struct xs_handle *xs, xs_transaction_t t, const char *name,
		    const struct saved_head *h);

#endif
