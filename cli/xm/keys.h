/* SPDX-License-Identifier: MIT */
/*
 * keys.h - what each key of a configuration means: settings -> record. One table row a key.
 *
 * Every known key of xl.cfg(5) and xm is in the table: taken, without effect (a warning), or
 * refused with the reason; anything else is an error that names the nearest key. Pure but for -n:
 * no I/O.
 */
#ifndef XM_KEYS_H
#define XM_KEYS_H

#include "cfg.h"
#include "record.h"

/* Called once for each remark that does not stop the domain: "FILE:LINE:COL: text". */
typedef void (*keys_warn_fn)(void *data, const char *text);

/*
 * Fills @rec (record_init() done) from @cfg and completes it (record_complete()).
 * Returns 0; -EINVAL or -ENOTSUP with @err naming place, key and cure; -ENOMEM, -EIO (no
 * randomness).
 */
int keys_to_record(const struct cfg *cfg, struct record *rec, keys_warn_fn warn, void *data,
		   struct cfg_error *err);

/* The documented keys for the manual and its test: name and one line each, NULL after the last. */
const char *keys_taken_name(size_t i);

#endif
