/* SPDX-License-Identifier: MIT */
/* store_priv.h - what live.c and store_mend.c share: the environment and its tables. */
#ifndef XENSTORED_STORE_PRIV_H
#define XENSTORED_STORE_PRIV_H

#include <lmdb.h>

#include "store.h"

/* Names of the tables as LMDB knows them. */
extern const char *const store_table_name[STORE_TABLES];

struct store {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi[STORE_TABLES];
	MDB_cursor *cursor[STORE_TABLES];	/* of this transaction, made when needed: for gets, */
	MDB_cursor *scan[STORE_TABLES];	/* and for seeks */
	int fd;			/* to allocate blocks by */
	uint64_t size;		/* bytes allocated: what the map has */
	uint64_t limit;		/* more is never asked for */
	uint64_t free_pages;	/* when the transaction began */
	uint64_t budget;	/* of them, those that nobody has asked for yet */
	uint64_t commits;
	uint64_t refused_ns;	/* when the file system last refused to grow the file */
	bool dirty;
	void (*before)(void *arg);
	void *before_arg;
};

/* Whether a record's checksum is right. */
bool store_record_whole(enum store_table t, const MDB_val *key, const MDB_val *value);

/* Opens or makes the environment in directory @dir with all its tables. 0 or -Exxx. */
int store_env_open(struct store *l, const char *dir);

/* Says which boot it is of. */
void store_boot_put(struct store *l, const char *boot_id);

/* The record of STORE_META that says what a start has still to do; and its texts. */
#define STORE_STILL "start"
#define STORE_STILL_LOAD "load"
#define STORE_STILL_MEND "mend"

/*
 * Reads everything in @dir, in a process of its own. 0: whole, and *@found says what a start has
 * still to do; -EBADMSG: something is damaged; -ENOENT: it is not of boot @boot_id; -Exxx: cannot
 * be looked at.
 */
int store_verify(const char *dir, const char *boot_id, enum store_found *found);

/* Copies what is whole in @from to the new @to, and logs what was lost. 0 or -Exxx. */
int store_mend(const char *from, const char *to, const char *boot_id);

#endif
