/* SPDX-License-Identifier: MIT */
/*
 * cfg_other.h - keys of xl.cfg(5) and xm that this system knows by name and does not act on.
 */
#ifndef STOREVISOR_CFG_OTHER_H
#define STOREVISOR_CFG_OTHER_H

#include <stdbool.h>
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
const struct key_other *cfg_other_find(const char *name);

/* The rows in order; NULL after the last. */
const struct key_other *cfg_other_at(size_t i);

/* Whether it is for fully virtualised guests alone. */
bool cfg_other_is_hvm(const struct key_other *other);

#endif
