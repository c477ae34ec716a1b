/* SPDX-License-Identifier: MIT */
/* saved_record.c - see saved_record.h. */
#include "saved_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "saved_head.h"
#include "store.h"

#define DEPTH_MAX 4

struct reading {
	struct xs_handle *xs;
	xs_transaction_t t;
	const char *name;
	struct saved_head *h;
};

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

static int take(struct reading *r, const char *key)
{
	unsigned int len;
	char *value = xs_read(r->xs, r->t, path_config(r->name, key).s, &len);
	int err = 0;

	if (value && value[0]) {
		err = append(r->h, key);
		if (!err)
			err = append(r->h, value);
	}
	free(value);
	return err;
}

/* @key (NULL: the record itself) and what is below. */
static int take_below(struct reading *r, const char *key, unsigned int depth)
{
	unsigned int nr;
	char **names = store_list(r->xs, r->t, path_config(r->name, key), &nr);
	int err = key ? take(r, key) : 0;

	for (unsigned int i = 0; !err && i < nr && depth < DEPTH_MAX; i++) {
		char below[128];

		if (!key && (!strcmp(names[i], "power") || !strcmp(names[i], "saved")))
			continue;
		if (snprintf(below, sizeof(below), "%s%s%s", key ? key : "", key ? "/" : "",
			     names[i]) >= (int)sizeof(below))
			err = -ENAMETOOLONG;
		else
			err = take_below(r, below, depth + 1);
	}
	free(names);
	return err;
}

int saved_record_read(struct xs_handle *xs, const char *name, struct saved_head *h)
{
	struct reading r = { xs, xs_transaction_start(xs), name, h };
	int err;

	if (!r.t)
		return errno ? -errno : -EIO;
	err = take_below(&r, NULL, 0);
	xs_transaction_end(xs, r.t, true);
	if (!err && !h->record_len)
		err = -ENOENT;
	return err;
}
