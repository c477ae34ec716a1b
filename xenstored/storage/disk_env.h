/* SPDX-License-Identifier: MIT */
/*
 * disk_env.h - one LMDB file of format 3: its databases, and the record that sums them up.
 *
 * Every file of the durable side is one: data.mdb, generations, snapshots. One write transaction
 * at a time; the summary (number and digest of each database's records) is kept with every change,
 * so that a reader of everything can tell whether it has got everything. Private to storage/.
 */
#ifndef XENSTORED_DISK_ENV_H
#define XENSTORED_DISK_ENV_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_FORMAT 3u

/* Databases, with their letters for checked.h: disk_db_letter. */
enum disk_db {
	DISK_NODE,	/* path: stored node */
	DISK_PAST,	/* path, revision: the stored node that the revision replaced */
	DISK_REV,	/* revision, index: what changed, who (rev_record.h) */
	DISK_LOSS,	/* path: why it is in the list of what was lost */
	DISK_DBS
};

extern const char disk_db_letter[DISK_DBS];

/* The summary: the record "head" of database "meta". */
struct disk_head {
	uint64_t applied;	/* all persistent changes up to this revision are in it */
	uint64_t horizon;	/* what was at this revision and later is known */
	uint64_t history_bytes;	/* of DISK_PAST and DISK_REV */
	/*
	 * LMDB's number of the commit that wrote it: should a disk tear the one write that ends a
	 * commit, a new number could stand beside an old root.
	 */
	uint64_t stamp;
	uint64_t count[DISK_DBS], digest[DISK_DBS];
};

/* Which store a file is of: 16 bytes that no two stores have; all 0: it does not say. */
#define DISK_ID 16

struct disk_env {
	MDB_env *env;
	MDB_txn *txn;		/* the open one, of either kind */
	MDB_dbi dbi[DISK_DBS], meta;
	struct disk_head head;	/* of the open transaction, else of the last commit */
	struct disk_head kept;	/* of the last commit */
	unsigned char id[DISK_ID];
	bool id_broken;		/* there was one: a file that is not whole */
};

enum disk_mode {
	DISK_READ,		/* alone with the file, which nobody writes */
	DISK_READ_BESIDE,	/* beside a process that writes it */
	DISK_WRITE,		/* commits are synced */
	DISK_FILL,		/* a new file; nothing is synced before disk_env_sync() */
	DISK_AMEND,		/* the same file once more */
};

/* LMDB's own codes and errno values as ours: -ENOSPC, -EBADMSG, -ENOENT, -ENOMEM, -EROFS, -EIO. */
int disk_errno(int rc);

/*
 * Opens the file @path; DISK_FILL makes it, replacing what was there. 0; -ENOENT; -EBADMSG: no
 * such file or damaged; -EPROTONOSUPPORT: of a later format; -EIO, of DISK_WRITE: somebody still
 * reads the file that had the name before; or as disk_errno().
 */
int disk_env_open(struct disk_env *e, const char *path, uint64_t map_size, enum disk_mode mode);
/* Without a commit. Nothing when it was never opened. */
void disk_env_close(struct disk_env *e);
int disk_env_sync(struct disk_env *e);

int disk_env_begin(struct disk_env *e, bool write);
/* With the summary. After an error the transaction is gone. */
int disk_env_commit(struct disk_env *e);
void disk_env_abort(struct disk_env *e);

/* Says in the open write transaction which store it is of. 0 or as disk_errno(). */
int disk_env_set_id(struct disk_env *e, const unsigned char id[DISK_ID]);
bool disk_id_known(const unsigned char id[DISK_ID]);

/* The value as it is there, checksum and all. 0, -ENOENT, -EBADMSG. */
int disk_env_get(struct disk_env *e, enum disk_db db, const MDB_val *key, MDB_val *value);
/* @value is sealed. @append: the key is larger than all that are there. */
int disk_env_put(struct disk_env *e, enum disk_db db, const MDB_val *key, const MDB_val *value,
		 bool append);
/* Deleting what is not there is good. */
int disk_env_del(struct disk_env *e, enum disk_db db, const MDB_val *key);

/* Whether the sealed @value of @db has the checksum of its key and bytes. */
bool disk_value_whole(enum disk_db db, const MDB_val *key, const MDB_val *value);

/*
 * Reads everything: checksums, order, that each record is found by its key, the summary. With @to,
 * an empty environment with an open write transaction, copies it there. 0; -EBADMSG; -ENOSPC ...
 * of @to.
 */
int disk_env_check(struct disk_env *e, struct disk_env *to);

/* Bytes of pages that the trees of all databases have. */
uint64_t disk_env_tree_bytes(struct disk_env *e);

#endif
