/* SPDX-License-Identifier: MIT */
/*
 * store.h - the LMDB environment on tmpfs that holds everything that lives, as tables of records.
 *
 * One write transaction is open at all times: store_commit() makes what has been put so far true
 * and begins the next one. A kill leaves the last commit. Each record has a CRC32C of its key and
 * its bytes, which is checked whenever it is read. The file's blocks are allocated before LMDB may
 * use them (MDB_WRITEMAP), so writing never meets a full file system: "no room" is store_room()'s
 * answer, before a change is begun. What fails nevertheless (damage, no memory inside LMDB) ends
 * the process: the last commit counts, and no reply of the turn has left. Single-threaded.
 * Layouts: docs/store-format.md.
 */
#ifndef XENSTORED_STORE_H
#define XENSTORED_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum store_table {
	STORE_META,	/* a name */
	STORE_NODE,	/* path, or what stands for a long one: path_key.h */
	STORE_CHILD,	/* parent's id, id: the name; so children are in order of creation */
	STORE_NAMED,	/* domid, directory, row of ids: nodes whose permissions name a domain but 0 */
	STORE_DOMAIN,	/* domid */
	STORE_RING,	/* domid */
	STORE_WATCH,	/* domid, id: a ring's watch */
	STORE_TXN,	/* domid, id: a ring's open transaction */
	STORE_SESSION,	/* id */
	STORE_BOND,	/* id */
	STORE_QUEUE,	/* revision, index: a change to be made durable */
	STORE_TABLES
};

/* The longest key, in bytes (LMDB's own limit). */
#define STORE_KEY_MAX 511u
/* Bytes in front of each record that belong to this file. */
#define STORE_HEAD 4u
/* Status of a process that ends because the environment cannot be used any more. */
#define STORE_LOST 70

struct store_bytes {
	const void *data;
	size_t len;
};

/* What store_open() found. */
enum store_found {
	STORE_NEW,	/* nothing, or what another boot has left: now it is empty */
	STORE_WHOLE,
	STORE_UNLOADED,	/* whole, but the persistent part has not come from the disk yet */
	STORE_MENDED,	/* damage: what was whole is there, what was lost has been logged by name */
};

/*
 * Opens the environment in RUN-DIR/live, or makes a new one there. 0; -EIO, -ENOSPC, -ENOMEM with
 * the reason logged.
 */
int store_open(const char *run_dir, struct store **out, enum store_found *found);
/* An environment in memory that ends with the process (tests, --in-memory). NULL: no memory. */
struct store *store_open_private(void);
/* Without a commit. */
void store_close(struct store *l);
/*
 * What a start has still to do, with the next commit: STORE_MENDED: to make a tree of what was
 * saved; STORE_UNLOADED: to load the persistent part; STORE_WHOLE: nothing. A start that is cut off
 * leaves that for the next one to find. As store_put().
 */
void store_still(struct store *l, enum store_found what);

/*
 * The record of STORE_META that says that mending the tree has begun: what was lost has been named,
 * and numbers in what is there mean two things. Its commit is the first that changes anything.
 */
#define STORE_MENDING "mending"

/*
 * The record of STORE_META that says that STORE_NAMED is to be made anew: the environment is one of
 * a release that had another index, which is gone with the commit that has this.
 */
#define STORE_UNNAMED "unnamed"

/* The record with that key, valid until the next change of any table. False: there is none. */
bool store_get(struct store *l, enum store_table t, const void *key, size_t key_len,
	       struct store_bytes *out);
/*
 * Puts a record: @len bytes at @rec, of which the first STORE_HEAD ones are overwritten here.
 * store_room() must have said that there is room.
 */
void store_put(struct store *l, enum store_table t, const void *key, size_t key_len, void *rec,
	       size_t len);
/* Deleting what is not there is good. */
void store_del(struct store *l, enum store_table t, const void *key, size_t key_len);
/* The first record with a key not less than @key. Valid as store_get()'s. False: there is none. */
bool store_seek(struct store *l, enum store_table t, const void *key, size_t key_len,
		struct store_bytes *found, struct store_bytes *out);
/* The one behind the last store_seek() or store_next() of the table; nothing changed since. */
bool store_next(struct store *l, enum store_table t, struct store_bytes *found,
		struct store_bytes *out);
uint64_t store_count(struct store *l, enum store_table t);

/* What a request is going to do at most. */
struct store_need {
	size_t inserts;		/* records put that are new, or have another length than before */
	size_t rewrites;	/* records put again with the length they have, up to 12 KiB */
	size_t deletes;
	size_t bytes;		/* of the inserted ones; shorter ones than 64 may be left out, */
	size_t longest;		/* and those of the longest one, or more */
	bool frees;		/* it only takes away, and may use the reserve */
	bool trusted;		/* nobody has chosen the keys to make it expensive: mostly each is */
	size_t backwards;	/* behind the one before it, in its table, but for so many */
};

/*
 * Before a request: makes sure that there is room for it (page_bound.h says how much); may commit
 * what is complete so far. 0 or -ENOSPC: not even the file system has it.
 */
int store_room_for(struct store *l, const struct store_need *need);

/*
 * The same for up to @records records with @bytes of content. @frees: may use the reserve; without
 * any bytes it only deletes.
 */
int store_room(struct store *l, size_t records, size_t bytes, bool frees);

/* As store_room() with @frees, but commits nothing: whether what is left of the room suffices. */
bool store_spare(struct store *l, size_t records, size_t bytes);

/* Pages that were used though nobody had asked for them: 0, or something is wrong (tests). */
uint64_t store_overdrawn(const struct store *l);

/* Makes everything so far true. Ends the process when that cannot be. */
void store_commit(struct store *l);
/*
 * @before is called before every commit, also those of store_room(): puts what belongs to it. The
 * caller of store_room() has room for that.
 */
void store_before_commit(struct store *l, void (*before)(void *arg), void *arg);
/* Whether something was put or deleted since the last commit. */
bool store_dirty(const struct store *l);
/* Number of the last commit: a request and its effects have the same one. */
uint64_t store_commits(const struct store *l);

/* Bytes of the file; what of it is free. */
void store_usage(struct store *l, uint64_t *size, uint64_t *free_bytes);

/* Of a file that is shrunk, no more than this part is used. */
#define STORE_SHRINK_BY 4u
/*
 * Once a second, between two turns: gives back what a file of @least bytes or more does not use,
 * when that is most of it. Nothing that was read from the store is valid any more. True: it was
 * done; false: not needed, something is uncommitted, or no memory for the copy (logged; all is as
 * it was).
 */
bool store_shrink(struct store *l, uint64_t least);

/* A process that read it has died: what it kept from being used again is free. */
void store_reader_died(struct store *l);

static inline void be16_put(unsigned char *p, unsigned int v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static inline unsigned int be16_get(const void *from)
{
	const unsigned char *p = from;

	return (unsigned int)p[0] << 8 | p[1];
}

#endif
