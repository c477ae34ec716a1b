/* SPDX-License-Identifier: MIT */
/*
 * store.h - the store (xs_easy.h) by xend's paths, and transactions that keep their first error.
 */
#ifndef XEND_STORE_H
#define XEND_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "xs_easy.h"
#include "xspaths.h"

/*
 * One attempt at a transaction. The first failed write is kept in err; later ones do nothing. So is
 * a question without an answer: what is not said is not taken for what is not there.
 */
struct txn {
	struct xs_handle *xs;
	xs_transaction_t t;
	int err;
};

/* xs_easy_transact(); a body whose writes failed counts as one that returned that error. */
int store_transact(struct xs_handle *xs, int (*body)(struct txn *tx, void *arg), void *arg);

void txn_write(struct txn *tx, struct path p, const char *value);
void txn_writef(struct txn *tx, struct path p, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void txn_mkdir(struct txn *tx, struct path p);
void txn_rm(struct txn *tx, struct path p);	/* no error when absent */
/* Owner @owner; domain @reader may read; nobody else. The same id twice: owner only. */
void txn_perms(struct txn *tx, struct path p, unsigned int owner, unsigned int reader);
/* Value as an allocated string, NULL when absent, or with tx->err. */
char *txn_read(struct txn *tx, struct path p);
/* Children as xs_easy_list() has them, NULL and 0 also with tx->err. */
char **txn_list(struct txn *tx, struct path p, unsigned int *nr);
/* 1: it is @value; 0: it is another, or none; -errno: the store does not say. */
int txn_is(struct txn *tx, struct path p, const char *value);

/* The same outside a transaction; 0 or -errno. */
int store_write(struct xs_handle *xs, struct path p, const char *value);
int store_writef(struct xs_handle *xs, struct path p, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int store_rm(struct xs_handle *xs, struct path p);
char *store_read(struct xs_handle *xs, struct path p);
bool store_exists(struct xs_handle *xs, struct path p);
/* 1: it is there; 0: it is not; -errno: the store does not say. */
int store_has(struct xs_handle *xs, struct path p);
/* -1 when absent or not a number. */
long store_read_long(struct xs_handle *xs, struct path p);
/* Children as xs_easy_list() has them. */
char **store_list(struct xs_handle *xs, struct path p, unsigned int *nr);

#endif
