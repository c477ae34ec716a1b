/* SPDX-License-Identifier: MIT */
/*
 * cfg_keys.h - what each key of a configuration means: settings -> record. One table row a key.
 *
 * Every known key of xl.cfg(5) and xm is in the table: taken, without effect (a remark), or
 * refused with the reason because it would change what the guest is. An unknown key that is close
 * to a known one is a slip of the finger and refused; any other has no effect, as in xl. No I/O
 * but for randomness.
 */
#ifndef STOREVISOR_CFG_KEYS_H
#define STOREVISOR_CFG_KEYS_H

#include "cfg.h"
#include "record.h"

/*
 * Fills @rec from @cfg and completes it (record_complete()); relative paths are taken from
 * directory @base (NULL: they are refused). All that is wrong and all remarks go to @rep. Returns
 * 0; -EINVAL when something was wrong; -ENOMEM, -EIO (no randomness). @rep may have counted what
 * was wrong before: then it is -EINVAL in any case.
 */
int cfg_to_record(const struct cfg *cfg, const char *base, struct record *rec,
		  struct cfg_report *rep);

/* Any of the words for whether it starts with the host; false: @word is none. */
bool cfg_autostart_parse(const char *word, enum record_autostart *out);

/* The documented keys for the manual and its test: name and one line each, NULL after the last. */
const char *cfg_keys_taken_name(size_t i);

#endif
