/* SPDX-License-Identifier: MIT */
/*
 * store.c - conveniences over libxenstore.
 */
#include "store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CONFLICTS 100

static int errno_or_eio(void)
{
	return errno ? -errno : -EIO;
}

int store_transact(struct xs_handle *xs, int (*body)(struct txn *tx, void *arg), void *arg)
{
	for (int i = 0; i < MAX_CONFLICTS; i++) {
		struct txn tx = { .xs = xs };
		int err;

		tx.t = xs_transaction_start(xs);
		if (!tx.t)
			return errno_or_eio();
		err = body(&tx, arg);
		if (!err)
			err = tx.err;
		/* EAGAIN in it: it is lost already */
		if (xs_transaction_end(xs, tx.t, err != 0) && err != -EAGAIN)
			return err;
		if (errno != EAGAIN && err != -EAGAIN)
			return err ? err : errno_or_eio();
	}
	return -EBUSY;
}

void txn_write(struct txn *tx, struct path p, const char *value)
{
	if (!tx->err && !xs_write(tx->xs, tx->t, p.s, value, (unsigned int)strlen(value)))
		tx->err = errno_or_eio();
}

void txn_writef(struct txn *tx, struct path p, const char *fmt, ...)
{
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	txn_write(tx, p, value);
}

void txn_mkdir(struct txn *tx, struct path p)
{
	if (!tx->err && !xs_mkdir(tx->xs, tx->t, p.s))
		tx->err = errno_or_eio();
}

void txn_rm(struct txn *tx, struct path p)
{
	if (!tx->err && !xs_rm(tx->xs, tx->t, p.s) && errno != ENOENT)
		tx->err = errno_or_eio();
}

void txn_perms(struct txn *tx, struct path p, unsigned int owner, unsigned int reader)
{
	struct xs_permissions perms[2] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};
	unsigned int nr = owner == reader ? 1 : 2;

	if (!tx->err && !xs_set_permissions(tx->xs, tx->t, p.s, perms, nr))
		tx->err = errno_or_eio();
}

char *txn_read(struct txn *tx, struct path p)
{
	unsigned int len;
	char *value = xs_read(tx->xs, tx->t, p.s, &len);

	if (!value && errno != ENOENT && !tx->err)
		tx->err = errno_or_eio();
	return value;
}

char **txn_list(struct txn *tx, struct path p, unsigned int *nr)
{
	char **list = store_list(tx->xs, tx->t, p, nr);

	if (!list && errno != ENOENT && !tx->err)
		tx->err = errno_or_eio();
	return list;
}

int txn_is(struct txn *tx, struct path p, const char *value)
{
	char *now = txn_read(tx, p);
	int is = now ? !strcmp(now, value) : errno == ENOENT ? 0 : errno_or_eio();

	free(now);
	return is;
}

int store_write(struct xs_handle *xs, struct path p, const char *value)
{
	return xs_write(xs, XBT_NULL, p.s, value, (unsigned int)strlen(value)) ? 0 : errno_or_eio();
}

int store_writef(struct xs_handle *xs, struct path p, const char *fmt, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return store_write(xs, p, value);
}

int store_rm(struct xs_handle *xs, struct path p)
{
	return xs_rm(xs, XBT_NULL, p.s) || errno == ENOENT ? 0 : errno_or_eio();
}

char *store_read(struct xs_handle *xs, struct path p)
{
	unsigned int len;

	return xs_read(xs, XBT_NULL, p.s, &len);
}

bool store_exists(struct xs_handle *xs, struct path p)
{
	char *v = store_read(xs, p);

	free(v);
	return v != NULL;
}

int store_has(struct xs_handle *xs, struct path p)
{
	char *v = store_read(xs, p);
	int has = v ? 1 : errno == ENOENT ? 0 : errno_or_eio();

	free(v);
	return has;
}

long store_read_long(struct xs_handle *xs, struct path p)
{
	char *v = store_read(xs, p), *end;
	long n;

	if (!v)
		return -1;
	errno = 0;
	n = strtol(v, &end, 10);
	if (errno || end == v || *end || n < 0)
		n = -1;
	free(v);
	return n;
}

char **store_list(struct xs_handle *xs, xs_transaction_t t, struct path p, unsigned int *nr)
{
	char **list;

	*nr = 0;
	list = xs_directory(xs, t, p.s, nr);
	if (!list)
		*nr = 0;
	return list;
}
