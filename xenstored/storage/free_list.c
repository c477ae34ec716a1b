/* SPDX-License-Identifier: MIT */
/* free_list.c - see free_list.h. */
#include "free_list.h"

#include <stdio.h>
#include <string.h>

/* Handle 0 is LMDB's list: the commit's number, then how many pages, and these. */
#define FREE_LIST 0

static int oldest_of(const char *line, void *arg)
{
	size_t *oldest = arg, txn;

	if (sscanf(line, "%*d %*x %zu", &txn) == 1 && txn < *oldest)
		*oldest = txn;
	return 0;
}

int free_list_count(MDB_env *env, MDB_txn *txn, struct free_pages *out)
{
	size_t last = mdb_txn_id(txn), oldest = last;
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc;

	*out = (struct free_pages){ 0 };
	mdb_reader_list(env, oldest_of, &oldest);
	rc = mdb_cursor_open(txn, FREE_LIST, &cursor);
	if (rc)
		return rc;
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		size_t commit, nr;

		if (key.mv_size != sizeof(commit) || value.mv_size < sizeof(nr))
			break;
		memcpy(&commit, key.mv_data, sizeof(commit));
		memcpy(&nr, value.mv_data, sizeof(nr));
		if (commit < oldest)
			out->now += nr;
		else if (oldest == last)
			out->later += nr;
	}
	mdb_cursor_close(cursor);
	return 0;
}
