/* SPDX-License-Identifier: MIT */
/*
 * record_store.h - records to and from /config/domain/NAME. Source: docs/store-paths.md.
 */
#ifndef XM_RECORD_STORE_H
#define XM_RECORD_STORE_H

#include "record.h"
#include "record_out.h"
#include "store.h"

/* What to do when there is a record of that name. */
enum record_mode {
	RECORD_CREATE, /* refuse, unless it is what a failed start left behind */
	RECORD_DEFINE, /* refuse */
};

/* Why record_put() refused: filled in with -EEXIST. */
struct record_conflict {
	char name[RECORD_NAME_MAX + 1]; /* whose record is in the way */
	bool same_name;			/* else it has the same uuid */
	bool live, persistent;
	int domid;
};

/*
 * Writes @rec in one transaction. 0; -EEXIST with @conflict; -errno. -ENOSPC, -EACCES and -E2BIG
 * are the store's.
 */
int record_put(struct xs_handle *xs, const struct record *rec, enum record_mode mode,
	       struct record_conflict *conflict);

/*
 * Replaces the record @old, as record_get() read it, by @rec of the same name. 0; -ESTALE when the
 * store holds something else by now; -ENOENT when it is gone; -errno.
 */
int record_replace(struct xs_handle *xs, const struct record *old, const struct record *rec);

/* Writes one item of a record's lists, disk/@i, vif/@i. 0 or -errno. */
int record_put_disk(struct xs_handle *xs, xs_transaction_t t, const char *name, size_t i,
		    const struct disk_spec *disk);
int record_put_vif(struct xs_handle *xs, xs_transaction_t t, const char *name, size_t i,
		   const struct vif_spec *vif);

/* Reads one. 0, -ENOENT, -errno. Unreadable numbers are left at their defaults. */
int record_get(struct xs_handle *xs, xs_transaction_t t, const char *name, struct record *rec);

#endif
