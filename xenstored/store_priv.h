/* SPDX-License-Identifier: MIT */
/* store_priv.h - what the files that know LMDB share: store.c, store_verify.c, store_roots.c. */
#ifndef XENSTORED_STORE_PRIV_H
#define XENSTORED_STORE_PRIV_H

#include <lmdb.h>
#include <string.h>

#include "store.h"

struct store {
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *txn;
	size_t map_size;
	bool stamped;		/* every commit carries its number among the records */
	char *scratch;		/* value and checksum of the record being written */
	size_t scratch_len;
};

#define CRC_LEN 4

/* Key of the record with the number of the commit that wrote it; store_walk() skips it. */
#define STORE_STAMP	"C"
#define STORE_STAMP_LEN 1

static inline bool store_is_stamp(const MDB_val *key)
{
	return key->mv_size == STORE_STAMP_LEN &&
	       memcmp(key->mv_data, STORE_STAMP, STORE_STAMP_LEN) == 0;
}

/* LMDB's own codes and errno values as ours. */
int store_errno(int rc);

/* The value without its checksum. 0 or -EBADMSG. */
int store_unwrap(const MDB_val *k, const MDB_val *v, const char **value, size_t *len);

/* --- store_roots.c: the two pages with the roots --- */

#define STORE_ROOT_LEN 512

/* One of the two, as it was. */
struct store_roots {
	unsigned int newer;
	char root[STORE_ROOT_LEN];
};

/*
 * Puts the roots of the commit before the last one in the place of the last one's, which go to
 * *@was. Nobody has the environment open. 0; -EBADMSG: there is none before it; -EIO.
 */
int store_roots_step_back(const char *dir, struct store_roots *was);
/* Undoes that. 0 or -EIO. */
int store_roots_put_back(const char *dir, const struct store_roots *was);

/*
 * Whether the open, verified environment may not be the last commit: *@differ. 0; -EIO when the
 * two pages cannot be read.
 */
int store_roots_agree(struct store *s, bool *differ);

#endif
