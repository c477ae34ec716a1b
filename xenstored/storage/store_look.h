/* SPDX-License-Identifier: MIT */
/*
 * store_look.h - a live environment as it is looked at: its pages and trees, and what they say of
 * themselves. Runs in a child of store_verify.c, which a damaged file may end. Private to storage/.
 */
#ifndef XENSTORED_STORE_LOOK_H
#define XENSTORED_STORE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <lmdb.h>

struct look {
	const char *dir;
	MDB_env *env;
	MDB_txn *txn;
	char *first;		/* where page 0 is mapped */
	uint64_t last;		/* the last page */
	unsigned char *free;	/* of each page, a bit */
	unsigned char *content;	/* the same: part of a run behind its first page */
	uint64_t nr_branches;	/* that the trees say they have; 0 at first */
	bool starved;		/* for want of memory not all could be looked at */
};

/*
 * Notes which pages are called free, and makes them useless in this process: nothing may need them.
 * 0; -EBADMSG: no list of pages; -ENOMEM.
 */
int look_spoil_free(struct look *l);
/*
 * Behind that: whether every record, and what LMDB needs to find and to change them, is right.
 * False says nothing if the look is starved.
 */
bool look_all_whole(struct look *l);

#endif
