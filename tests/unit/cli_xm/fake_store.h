/* SPDX-License-Identifier: MIT */
/*
 * fake_store.h - the libxenstore API over a tree in memory, so that xm and xend meet in
 * one process: no daemon, any number of threads, one handle a thread. Transactions conflict as
 * strictly as can be: any change by anybody else makes xs_transaction_end() say EAGAIN.
 */
#ifndef TEST_FAKE_STORE_H
#define TEST_FAKE_STORE_H

#include <stdbool.h>
#include <xenstore.h>

/* Empties the tree and switches every failure off. No handle may be open. */
void fake_store_reset(void);

/* The next xs_open() calls fail with @err; 0: they work. */
void fake_store_refuse_open(int err);

/* Every write (in transactions too) fails with @err; 0: they work. */
void fake_store_refuse_writes(int err);

/* What CONTROL lost answers, which is kept; NULL: nothing was lost. */
void fake_store_lost(const char *lines);

/* Handles open now: a test that leaves with more than it began with has leaked one. */
int fake_store_handles(void);

/*
 * How many writes to a record this thread has done outside a transaction: each brings a record
 * back, as one key, that was removed in the meantime.
 */
unsigned int fake_store_loose(void);

/* Nodes below @path, itself included; 0 when it is not there. */
unsigned int fake_store_count(const char *path);

/* Straight access, beside any handle. get returns a malloc'd string or NULL. */
void fake_store_set(const char *path, const char *value);
char *fake_store_get(const char *path);
void fake_store_drop(const char *path);

#endif
