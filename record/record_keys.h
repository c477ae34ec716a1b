/* SPDX-License-Identifier: MIT */
/*
 * record_keys.h - a record as it stands in the store: keys below /config/domain/NAME ("memory",
 * "disk/0/target") and their values, any text, sorted; disk/9 comes before disk/10. Pure.
 */
#ifndef STOREVISOR_RECORD_KEYS_H
#define STOREVISOR_RECORD_KEYS_H

#include <stdbool.h>
#include <stddef.h>

struct record_key {
	char *key, *value;
};

struct record_keys {
	struct record_key *v;
	size_t nr;
};

/* Adds @key or gives it another value; both are copied. 0; -ENOMEM. */
int record_keys_set(struct record_keys *k, const char *key, const char *value);
/* NULL: there is no such key. */
const char *record_keys_get(const struct record_keys *k, const char *key);
/* Whether both have the same keys and values. */
bool record_keys_equal(const struct record_keys *a, const struct record_keys *b);
void record_keys_free(struct record_keys *k);

/*
 * The item of @list ("disk") that @key is of or in: its name's length and, in @item, where it
 * begins; 0: none.
 */
size_t record_keys_item(const char *key, const char *list, const char **item);
/* Like it, for the items in turn: starts with *@at = 0; false after the last. */
bool record_keys_next_item(const struct record_keys *k, const char *list, size_t *at,
			   char item[32]);

#endif
