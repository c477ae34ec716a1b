/* SPDX-License-Identifier: MIT */
/*
 * define.h - a new record into the store, and in words why it may not go there.
 */
#ifndef XM_DEFINE_H
#define XM_DEFINE_H

#include "record_store.h"

/* record_put(), with what is in the way told. 0, or 1 after saying why not. */
int define_record(struct xm *xm, const struct record *rec, enum record_mode mode);

/*
 * Whether @name could be the name of a new record now. 0, or 1 after saying why not: it is none, or
 * somebody's. Only define_record() says it for good.
 */
int define_name_is_free(struct xm *xm, const char *name);

/*
 * 0 when no record has the block device at @path, or what is going to be there, as a disk; else 1
 * after saying whose it is. A guest may keep on it what no tool knows by its looks.
 */
int define_disk_is_free(struct xm *xm, const char *path);

#endif
