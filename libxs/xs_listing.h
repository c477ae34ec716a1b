/* SPDX-License-Identifier: MIT */
/*
 * xs_listing.h - the names of a directory that is too large for one message, put together from the
 * answers to DIRECTORY_PART. Nothing is asked here.
 */
#ifndef STOREVISOR_XS_LISTING_H
#define STOREVISOR_XS_LISTING_H

#include <stddef.h>

/* All zero: nothing yet. */
struct xs_listing {
	char *names; /* each with its NUL; malloc'd, the caller's */
	size_t len;  /* and where the next part begins */
	char gen[24]; /* decimal generation: the same in every part, or it starts over */
	unsigned int starts;
};

/*
 * Appends the answer of @len bytes at @data, with a NUL behind it. 1: that was the last; 0: ask for
 * the part at l->len; -EAGAIN: its children change faster than they can be listed; -EIO: that is no
 * part; -ENOMEM.
 */
int xs_listing_add(struct xs_listing *l, const char *data, size_t len);

#endif
