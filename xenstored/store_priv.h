/* SPDX-License-Identifier: MIT */
/* store_priv.h - what store.c and store_verify.c share: the two files that know LMDB. */
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

#endif
