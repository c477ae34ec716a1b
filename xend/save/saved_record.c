/* SPDX-License-Identifier: MIT */
/* saved_record.c - see saved_record.h. */
#include "saved_record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_load.h"
#include "saved_head.h"

static int append(struct saved_head *h, const char *text)
{
	size_t len = strlen(text) + 1;
	char *more;

	if (h->record_len + len > SAVED_RECORD_MAX)
		return -E2BIG;
	more = realloc(h->record, h->record_len + len);
	if (!more)
		return -ENOMEM;
	memcpy(more + h->record_len, text, len);
	h->record = more;
	h->record_len += len;
	return 0;
}

/* A card with nothing but defaults is an empty directory. */
static bool is_plain_card(const struct record_keys *keys, size_t at)
{
	const char *key = keys->v[at].key, *item;
	size_t len = record_keys_item(key, "vif", &item), whole = strlen(key);

	if (!len || item[len])
		return false;
	for (size_t i = at + 1; i < keys->nr; i++) {
		const char *next = keys->v[i].key;

		if (strncmp(next, key, whole) || next[whole] != '/')
			break;
		if (keys->v[i].value[0])
			return false;
	}
	return true;
}

/* The switches that say what is to happen now are not the domain's. */
static bool is_kept(const struct record_keys *keys, size_t at)
{
	static const char *const now[] = { "power", "saved", "arriving", "moved" };

	for (size_t i = 0; i < sizeof(now) / sizeof(now[0]); i++) {
		if (!strcmp(keys->v[at].key, now[i]))
			return false;
	}
	return keys->v[at].value[0] || is_plain_card(keys, at);
}

int saved_record_add(struct saved_head *h, const char *key, const char *value)
{
	size_t before = h->record_len;
	int err = append(h, key);

	if (!err)
		err = append(h, value);
	if (err)
		h->record_len = before;
	return err;
}

static int take_keys(struct saved_head *h, const struct record_keys *keys)
{
	int err = 0;

	for (size_t i = 0; i < keys->nr && !err; i++) {
		if (!is_kept(keys, i))
			continue;
		err = saved_record_add(h, keys->v[i].key, keys->v[i].value);
	}
	return err || h->record_len ? err : -ENOENT;
}

int saved_record_read(struct xs_handle *xs, const char *name, struct saved_head *h)
{
	struct record_keys keys = { 0 };
	int err = record_load(xs, name, &keys);

	if (!err)
		err = take_keys(h, &keys);
	record_keys_free(&keys);
	return err;
}

int saved_record_is(struct xs_handle *xs, xs_transaction_t t, const char *name,
		    const struct saved_head *h)
{
	struct record_keys keys = { 0 };
	struct saved_head now = { 0 };
	int err = record_load_in(xs, t, name, &keys);

	if (!err)
		err = take_keys(&now, &keys);
	/* Keys are sorted. */
	if (!err)
		err = now.record_len == h->record_len &&
		      !memcmp(now.record, h->record, now.record_len);
	record_keys_free(&keys);
	free(now.record);
	return err;
}
