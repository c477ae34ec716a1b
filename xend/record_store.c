/* SPDX-License-Identifier: MIT */
/*
 * record_store.c - see record_store.h. What a record may say is record/'s.
 */
#include "record_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_load.h"
#include "store.h"
#include "vdev.h"

struct complaints {
	char *text;
	size_t len, max;
};

/* All in one line; what does not fit is cut. */
static void complain(void *data, const char *key, const char *text)
{
	struct complaints *c = data;
	int n;

	(void)key;
	if (c->len + 1 >= c->max)
		return;
	n = snprintf(c->text + c->len, c->max - c->len, "%s%s", c->len ? "; " : "", text);
	c->len += n > 0 ? (size_t)n : 0;
}

int record_read(struct xs_handle *xs, const char *name, struct record *r, char *why,
		size_t why_len)
{
	struct record_keys keys = { 0 };
	struct complaints c = { why, 0, why_len };
	int err = record_load(xs, name, &keys);

	why[0] = '\0';
	if (err)
		memset(r, 0, sizeof(*r));
	else
		err = record_parse(r, name, &keys, complain, &c);
	record_keys_free(&keys);
	return err;
}

bool record_same(const struct record *a, const struct record *b)
{
	struct record_keys k = { 0 }, l = { 0 };
	bool same = !record_format(a, &k) && !record_format(b, &l) && record_keys_equal(&k, &l);

	record_keys_free(&k);
	record_keys_free(&l);
	return same;
}

static int power_off_body(struct txn *tx, void *arg)
{
	const char *name = arg;
	char *power = txn_read(tx, path_config(name, "power"));

	/* Never brings back a record that somebody removed meanwhile. */
	if (power && strcmp(power, "off"))
		txn_write(tx, path_config(name, "power"), "off");
	free(power);
	return 0;
}

void record_end_in(struct txn *tx, const char *name, bool removes)
{
	if (removes)
		txn_rm(tx, path_config(name, NULL));
	else
		power_off_body(tx, (void *)name);
}

int record_power_off(struct xs_handle *xs, const char *name)
{
	return store_transact(xs, power_off_body, (void *)name);
}

int record_forget_saved(struct xs_handle *xs, const char *name)
{
	return store_rm(xs, path_config(name, "saved"));
}

static int uuid_body(struct txn *tx, void *arg)
{
	struct record *r = arg;
	char *power = txn_read(tx, path_config(r->name, "power"));
	char *uuid = txn_read(tx, path_config(r->name, "uuid"));
	bool there = power != NULL;

	if (uuid && !vdev_uuid_parse(uuid, r->uuid))
		vdev_uuid_format(r->uuid, r->uuid_text); /* somebody was faster */
	else if (there)
		txn_write(tx, path_config(r->name, "uuid"), r->uuid_text);
	free(power);
	free(uuid);
	return there || tx->err ? 0 : -ENOENT;
}

int record_ensure_uuid(struct xs_handle *xs, struct record *r)
{
	int err;

	if (r->uuid_text[0])
		return 0;
	if (record_uuid_make(r->uuid))
		return -EIO;
	vdev_uuid_format(r->uuid, r->uuid_text);
	err = store_transact(xs, uuid_body, r);
	if (err)
		r->uuid_text[0] = '\0';
	return err;
}
