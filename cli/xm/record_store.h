/* SPDX-License-Identifier: MIT */
/*
 * record_store.h - xm's dealings with /config/domain/NAME. What a record may say and counts as:
 * record/record.h.
 */
#ifndef XM_RECORD_STORE_H
#define XM_RECORD_STORE_H

#include "record.h"
#include "record_out.h"
#include "store.h"
#include "xm.h"

/* What to do when there is a record of that name. */
enum record_mode {
	RECORD_CREATE, /* refuse, unless it is what a failed start left behind */
	RECORD_DEFINE, /* refuse */
};

/* Why record_put() refused: filled in with -EEXIST. */
struct record_conflict {
	char name[DOMAIN_NAME_MAX + 1]; /* whose record is in the way */
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
/* The same inside the caller's transaction; with -EEXIST nothing has been written in it. */
int record_put_in(struct xs_handle *xs, xs_transaction_t t, const struct record *rec,
		  enum record_mode mode, struct record_conflict *conflict);

/*
 * Makes the record @old, as record_load() read it, say what @rec does, which is of the same name.
 * Only what then counts as something else is written: absent keys whose defaults are meant stay
 * absent, keys that are not of the registry stay, a disk keeps its item by what the guest calls it,
 * a card by its address; @bridge is for new cards that name none. 0; -ESTALE when the store holds
 * something else by now; -ENOENT when it is gone; -errno. *@changed: whether there was anything to
 * write.
 */
int record_replace(struct xs_handle *xs, const struct record_keys *old, struct record *rec,
		   const char *bridge, bool *changed);

/*
 * Gives @key of the record of @name another value, but not so that a record that could start cannot
 * any more. 0, also when there is no record; RECORD_KEPT with @why (SPEC_ERROR_LEN bytes) when it
 * stays as it was; -errno.
 */
#define RECORD_KEPT 1
int record_set(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key,
	       const char *value, char why[SPEC_ERROR_LEN]);

/* power = off. 0, also when there is no record any more, which is not brought back; -errno. */
int record_switch_off(struct xs_handle *xs, const char *name);

/* Writes the keys of one disk or card of @name, at its item. 0 or -errno. */
int record_put_disk(struct xs_handle *xs, xs_transaction_t t, const char *name,
		    const struct disk_spec *disk);
int record_put_vif(struct xs_handle *xs, xs_transaction_t t, const char *name,
		   const struct vif_spec *vif);

/*
 * The record of @name, of one moment; what is wrong in it counts as absent. 0, -ENOENT (@rec then
 * has every default), -errno.
 */
int record_get(struct xs_handle *xs, const char *name, struct record *rec);

/* A record_wrong_fn: says it as a warning. @data: the struct xm. */
void record_warn(void *data, const char *key, const char *text);

#endif
