/* SPDX-License-Identifier: MIT */
/*
 * record_out.h - a record shown: as JSON, as xl's JSON, as a configuration file. No store.
 */
#ifndef XM_RECORD_OUT_H
#define XM_RECORD_OUT_H

#include <stdio.h>

#include <jansson.h>

#include "record.h"

/* The record as natural JSON: keys and values as in the store, lists for disk and vif. */
json_t *record_json(const struct record *rec);

/* The record as xl list --long shows a domain's config. */
json_t *record_json_xl(const struct record *rec);

/* The record as a configuration file that keys_to_record() reads back to the same. */
void record_print_cfg(const struct record *rec, FILE *to);

#endif
