/* SPDX-License-Identifier: MIT */
/*
 * free_list.h - LMDB's list of pages that were given back, and which of them somebody still sees:
 * the one place that says so, of both environments. No state. Private to storage/.
 * Source: mdb.c of LMDB 0.9.24, mdb_find_oldest() and mdb_page_alloc(). test_free_list.c holds this
 * to what LMDB does.
 */
#ifndef XENSTORED_FREE_LIST_H
#define XENSTORED_FREE_LIST_H

#include <lmdb.h>
#include <stdint.h>

struct free_pages {
	uint64_t now;	/* that the next commit may use */
	uint64_t later;	/* that the one behind it may use, too, if nobody begins to read meanwhile */
};

/*
 * As of @txn, which reads, of @env, and is of its last commit. An entry of the list has what one
 * commit gave back; the next one may use those of commits before the last that no reader, of any
 * process, can see. An entry that is none ends the list. 0 or LMDB's error, with none found.
 */
int free_list_count(MDB_env *env, MDB_txn *txn, struct free_pages *out);

#endif
