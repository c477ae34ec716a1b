/* SPDX-License-Identifier: MIT */
/*
 * store.h - one LMDB environment. store.c, store_verify.c and store_roots.c alone know LMDB.
 *
 * Runs in the keeper process only: a damaged file can raise SIGBUS there without taking the
 * daemon along. Values carry a CRC32C of key and value, checked whenever they are read.
 */
#ifndef XENSTORED_STORE_H
#define XENSTORED_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/*
 * Opens (or makes) the environment in directory @dir, at most @map_size bytes. @synced: commits
 * are on the disk before they return (rule: default flags on disk, NOSYNC on tmpfs only).
 * 0; -EBADMSG: not a store or damaged; -ENOSPC; -EROFS; -EIO; -ENOMEM.
 */
int store_open(const char *dir, size_t map_size, bool synced, struct store **out);
void store_close(struct store *s);

/*
 * Looks at everything: checksums, counts, that no page is both free and used, that the tree is
 * the one of the last commit. 0; -EBADMSG: damaged, or a commit cut off by a loss of power.
 */
int store_verify(struct store *s);
/*
 * Opens and verifies a synced environment. When the last commit was torn by a loss of power, goes
 * back to the one before it, which LMDB leaves whole, and sets *@stepped_back: nobody was told of
 * the torn one. Also set when what it opens may be the one before the last because the last one's
 * roots are damaged. Errors as store_open() and store_verify(); then the file is as it was.
 */
int store_open_whole(const char *dir, size_t map_size, struct store **out, bool *stepped_back);

/* Makes the names in @dir last over a loss of power. 0 or -EIO. */
int store_sync_dir(const char *dir);

/* One write transaction at a time. All answer 0 or: -ENOSPC (disk or map full), -EIO, -ENOMEM. */
int store_begin(struct store *s);
int store_put(struct store *s, const void *key, size_t key_len, const void *value,
	      size_t value_len);
/* Deleting what is not there is good. */
int store_del(struct store *s, const void *key, size_t key_len);
int store_commit(struct store *s);
void store_abort(struct store *s);

/* Lets the map grow by a reserve (on), or not (off): for deletions when it is full. 0 or -EIO. */
int store_reserve(struct store *s, bool on);

/* Reads one record into @value of @room bytes. Its length; -ENOENT; -EBADMSG; -EIO. */
int store_get(struct store *s, const void *key, size_t key_len, void *value, size_t room);

/*
 * Calls @each for every record in key order; it stops at the first that answers non-zero, which
 * is returned. -EBADMSG when a checksum is wrong.
 */
typedef int store_each(void *arg, const void *key, size_t key_len, const void *value,
		       size_t value_len);
int store_walk(struct store *s, store_each *each, void *arg);

/* Writes a compacted copy of the environment to the descriptor @fd. 0 or -Exxx. */
int store_copy(struct store *s, int fd);

/* Bytes of the map in use, and its size. */
void store_usage(struct store *s, uint64_t *used, uint64_t *size);

#endif
