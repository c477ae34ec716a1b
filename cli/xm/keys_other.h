/* SPDX-License-Identifier: MIT */
/*
 * keys_other.h - keys of xl.cfg(5) and xm that this system knows by name and does not act on.
 */
#ifndef XM_KEYS_OTHER_H
#define XM_KEYS_OTHER_H

#include <stddef.h>

enum key_verdict {
	KEY_NO_EFFECT, /* leaving it out changes nothing the guest depends on: warn */
	KEY_REFUSED,   /* the domain would not be what was asked for: error */
};

struct key_other {
	const char *name;
	enum key_verdict verdict;
	const char *reason; /* completes "KEY: " or "KEY has no effect: " */
};

/* NULL when the table has no such key. */
const struct key_other *keys_other_find(const char *name);

/* The rows in order; NULL after the last. */
const struct key_other *keys_other_at(size_t i);

#endif
