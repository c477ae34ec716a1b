/* SPDX-License-Identifier: MIT */
/* store_priv.h - the environment, shared by the files of its name. */
#ifndef XENSTORED_STORE_PRIV_H
#define XENSTORED_STORE_PRIV_H

#include <lmdb.h>

#include "store.h"

/* Names of the tables as LMDB knows them. */
extern const char *const store_table_name[STORE_TABLES];
/* Of a table that an earlier release may have left, in the place of STORE_NAMED. */
extern const char store_names_before[];
/* A daemon of an earlier release, which had it not, may have left the environment without it. */
bool store_table_may_lack(enum store_table t);

struct store {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi[STORE_TABLES];
	MDB_cursor *cursor[STORE_TABLES];	/* of this transaction, made when needed: for gets, */
	MDB_cursor *scan[STORE_TABLES];	/* and for seeks */
	char dir[520];		/* where it is; empty: only in memory */
	int fd;			/* to allocate blocks by */
	struct store_last {
		size_t len;
		size_t free;	/* bytes then on its page */
		unsigned char key[STORE_KEY_MAX];
	} last[STORE_TABLES];	/* of the new record put last in each: store_split.c */
	struct store_mark *mark;	/* which commit is the last; NULL: not kept */
	uint64_t size;		/* bytes allocated: what the map has */
	uint64_t limit;		/* more is never asked for */
	struct store_budget {
		uint64_t pages;		/* that nobody has asked for yet, of this transaction */
		uint64_t runs;		/* of them, those behind the last one ever used */
		uint64_t copies;	/* pages that may still have to be copied */
	} budget, began;		/* now; when the transaction began */
	uint64_t next_page;	/* behind the last one that commits have ever used */
	uint64_t kept;		/* pages behind that were nobody's then */
	uint64_t overdrawn;	/* pages used that nobody had asked for, at most: none */
	unsigned int depth[STORE_TABLES];	/* levels of the trees when last looked at; since */
	unsigned int changes;	/* then: records put or deleted, */
	unsigned int changed;	/* in these tables: bits */
	unsigned int highest;	/* the largest of depth, at least 1 */
	uint64_t commits;
	uint64_t refused_ns;	/* when the file system last refused to grow the file, and why: */
	int refused;		/* -Exxx; -EFBIG: it may not be larger; 0: it did not */
	uint64_t borrowed_ns;	/* when it grew for one request; 0: it did not */
	unsigned int shrink_pause;	/* calls of store_shrink() that do nothing */
	bool dirty;
	void (*before)(void *arg);
	void *before_arg;
};

#define STORE_PAGE	4096u
/* What a file begins with, and what it never grows beyond, in bytes. */
#define STORE_FIRST_SIZE ((uint64_t)1 << 20)
#define STORE_LIMIT	((uint64_t)4 << 30)

/* Ends the process: nothing of the turn has been told to anybody. */
_Noreturn void store_die(const char *what, int rc);

/* For LMDB's answers: 0, or the process ends. */
static inline void store_must(const char *what, int rc)
{
	if (rc)
		store_die(what, rc);
}

/* Begins a transaction; ends it with what store_before_commit() puts, or without anything. */
void store_txn_begin(struct store *l);
void store_txn_commit(struct store *l);
void store_txn_drop(struct store *l);

/*
 * Puts a record by a cursor of its table, as mdb_cursor_put(); no page more than that is used.
 * store_split.c.
 */
void split_put(struct store *l, enum store_table t, MDB_cursor *c, MDB_val *key, MDB_val *value);

/* --- store_room.c --- */

/* The environment has been opened. */
void room_open(struct store *l);
/*
 * A transaction has begun; has come as far as a commit that has nothing to do; as one that has;
 * has been committed.
 */
void room_begin(struct store *l);
void room_again(struct store *l);
void room_before_commit(struct store *l);
void room_committed(struct store *l);
/* Between two transactions: has the file grow when little is left, shrink after a large request. */
void room_keep_margin(struct store *l);

/* Whether a record's checksum is right. */
bool store_record_whole(enum store_table t, const MDB_val *key, const MDB_val *value);

/* Opens or makes the environment in directory @dir with all its tables. 0 or -Exxx. */
int store_env_open(struct store *l, const char *dir);

/* Removes an environment that is void, or was never finished. */
void store_env_remove(const char *dir);
/*
 * Puts a record as it is, checksum and all, behind the last one of the table. store_room() must
 * have said that there is room.
 */
void store_append(struct store *l, enum store_table t, MDB_val *key, MDB_val *value);

/* Says which boot it is of. */
void store_boot_put(struct store *l, const char *boot_id);

/* The record of STORE_META that says what a start has still to do; and its texts. */
#define STORE_STILL "start"
#define STORE_STILL_LOAD "load"
#define STORE_STILL_MEND "mend"

/*
 * Reads everything in @dir, in a process of its own. 0: whole, and *@found says what a start has
 * still to do; -EBADMSG: something is damaged; -ENOENT: it is not of boot @boot_id; -EAGAIN (who
 * looked was killed), -ENOMEM, -Exxx: it could not be looked at, which says nothing about it.
 */
int store_verify(const char *dir, const char *boot_id, enum store_found *found);

/*
 * For a process that reads what may be damaged: it may die of any fault, without a word, and has
 * bounds of its own. 0 or -Exxx.
 */
int store_expendable(const char *dir);
/*
 * Opens the environment in @dir for reading only, with nobody's help. @as_it_says: as much of it as
 * it says itself. 0; -EBADMSG: LMDB will not; -Exxx: not its fault.
 */
int store_open_to_read(const char *dir, bool as_it_says, MDB_env **env, MDB_txn **txn);

/*
 * Whether @number may be the last commit of the environment in @dir: what LMDB took for that. 1, 0;
 * -Exxx: it could not be looked at.
 */
int store_is_last_commit(const char *dir, uint64_t number);

/*
 * Whether errno value @err says that a file is not what it should be. Any other says that it could
 * not be looked at, now: of what is in it, that says nothing, and nothing may be made of it.
 */
bool store_file_wrong(int err);

/*
 * Copies what is whole in @from to the new @to, and logs what was lost. Where there is no room,
 * first @old (NULL: none), an environment nobody needs, is removed, then @from cut to nothing, if
 * that gives room. 0; -ENOSPC; -EAGAIN, -ENOMEM, -Exxx: it could not be read, and nothing has been
 * changed.
 */
int store_mend(const char *from, const char *to, const char *boot_id, const char *old);

#endif
