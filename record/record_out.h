/* SPDX-License-Identifier: MIT */
/*
 * record_out.h - a record shown: as JSON, as xl's JSON, as a configuration file. No store.
 */
#ifndef STOREVISOR_RECORD_OUT_H
#define STOREVISOR_RECORD_OUT_H

#include <stdio.h>

#include <jansson.h>

#include "record.h"

/*
 * The record as natural JSON: keys and values as in the store, numbers as such; disk and vif are
 * lists where their items are 0, 1, ..., else objects. "name" is added when @name is not NULL.
 */
json_t *record_json(const char *name, const struct record_keys *keys);

/* The record as xl list --long shows a domain's config. */
json_t *record_json_xl(const struct record *rec);

/*
 * The record as a configuration file that cfg_to_record() reads back to the same: the keys that are
 * there, also values that are not possible, for people to mend; and a disk's mode in any case,
 * since a disk of a file that says none is writable.
 */
void record_print_cfg(const char *name, const struct record_keys *keys, FILE *to);

#endif
