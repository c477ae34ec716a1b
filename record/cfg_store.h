/* SPDX-License-Identifier: MIT */
/*
 * cfg_store.h - between cfg.c (storage) and cfg_parse.c (grammar) only.
 */
#ifndef STOREVISOR_CFG_STORE_H
#define STOREVISOR_CFG_STORE_H

#include <stdbool.h>

#include "cfg.h"

/* A copy of @source that lives as long as @cfg, or NULL when out of memory. */
const char *cfg_store_source(struct cfg *cfg, const char *source);

/* Moves @value into the setting @key (appending when @append); leaves @value empty on success. */
int cfg_store_set(struct cfg *cfg, const char *key, const struct cfg_pos *pos, bool append,
		  struct cfg_value *value, struct cfg_report *rep);

/*
 * The setting @key has no value that could be read, which has been told; one that is there stays.
 * 0 or -ENOMEM.
 */
int cfg_store_wrong(struct cfg *cfg, const char *key, const struct cfg_pos *pos);

/* Moves @item to the end of @list. 0 or -ENOMEM (then @item is still the caller's). */
int cfg_list_add(struct cfg_value *list, struct cfg_value *item);

void cfg_value_fini(struct cfg_value *value);

#endif
