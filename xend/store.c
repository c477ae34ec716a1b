/* SPDX-License-Identifier: MIT */
/*
 * store.c - see store.h. What is asked and answered: xs_easy.c.
 */
#include "store.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct body {
	int (*run)(struct txn *tx, void *arg);
	void *arg;
};

static int run_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct body *body = arg;
	struct txn tx = { .xs = xs, .t = t };
	int err = body->run(&tx, body->arg);

	return err ? err : tx.err;
}

int store_transact(struct xs_handle *xs, int (*body)(struct txn *tx, void *arg), void *arg)
{
	return xs_easy_transact(xs, run_body, &(struct body){ body, arg });
}

/* ---- in a transaction ---- */

void txn_write(struct txn *tx, struct path p, const char *value)
{
	if (!tx->err)
		tx->err = xs_easy_write(tx->xs, tx->t, p.s, value);
}

void txn_writef(struct txn *tx, struct path p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!tx->err)
		tx->err = xs_easy_vwrite(tx->xs, tx->t, p.s, fmt, ap);
	va_end(ap);
}

void txn_mkdir(struct txn *tx, struct path p)
{
	if (!tx->err && !xs_mkdir(tx->xs, tx->t, p.s))
		tx->err = errno ? -errno : -EIO;
}

void txn_rm(struct txn *tx, struct path p)
{
	if (!tx->err)
		tx->err = xs_easy_rm(tx->xs, tx->t, p.s);
}

void txn_perms(struct txn *tx, struct path p, unsigned int owner, unsigned int reader)
{
	struct xs_permissions perms[2] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};
	unsigned int nr = owner == reader ? 1 : 2;

	if (!tx->err && !xs_set_permissions(tx->xs, tx->t, p.s, perms, nr))
		tx->err = errno ? -errno : -EIO;
}

char *txn_read(struct txn *tx, struct path p)
{
	char *value = xs_easy_read(tx->xs, tx->t, p.s);

	if (!value && errno != ENOENT && !tx->err)
		tx->err = -errno;
	return value;
}

char **txn_list(struct txn *tx, struct path p, unsigned int *nr)
{
	char **list = xs_easy_list(tx->xs, tx->t, p.s, nr);

	if (!list && errno != ENOENT && !tx->err)
		tx->err = -errno;
	return list;
}

int txn_is(struct txn *tx, struct path p, const char *value)
{
	char *now = txn_read(tx, p);
	int is = now ? !strcmp(now, value) : errno == ENOENT ? 0 : -errno;

	free(now);
	return is;
}

/* ---- outside ---- */

int store_write(struct xs_handle *xs, struct path p, const char *value)
{
	return xs_easy_write(xs, XBT_NULL, p.s, value);
}

int store_writef(struct xs_handle *xs, struct path p, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = xs_easy_vwrite(xs, XBT_NULL, p.s, fmt, ap);
	va_end(ap);
	return err;
}

int store_rm(struct xs_handle *xs, struct path p)
{
	return xs_easy_rm(xs, XBT_NULL, p.s);
}

char *store_read(struct xs_handle *xs, struct path p)
{
	return xs_easy_read(xs, XBT_NULL, p.s);
}

bool store_exists(struct xs_handle *xs, struct path p)
{
	return store_has(xs, p) > 0;
}

int store_has(struct xs_handle *xs, struct path p)
{
	return xs_easy_has(xs, XBT_NULL, p.s);
}

long store_read_long(struct xs_handle *xs, struct path p)
{
	uint64_t n;

	return xs_easy_number(xs, XBT_NULL, p.s, LONG_MAX, &n) ? -1 : (long)n;
}

char **store_list(struct xs_handle *xs, struct path p, unsigned int *nr)
{
	return xs_easy_list(xs, XBT_NULL, p.s, nr);
}
