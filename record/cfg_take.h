/* SPDX-License-Identifier: MIT */
/*
 * cfg_take.h - the keys that are acted on: one function a key, from a setting to the record. For
 * cfg_keys.c only.
 */
#ifndef STOREVISOR_CFG_TAKE_H
#define STOREVISOR_CFG_TAKE_H

#include "cfg.h"
#include "record.h"

/* What the keys of one file leave behind until all are read. */
struct reading {
	struct record *rec;
	struct cfg_report *rep;
	const char *base; /* directory of relative paths; NULL: refused */
	char *root, *extra, *cmdline;
	const struct cfg_setting *bootloader; /* it asks for one; NULL */
	bool other_kind; /* it is of a guest that is not paravirtual */
};

struct key {
	const char *name;
	/* 0; -EINVAL or -ENOTSUP after telling r->rep; -ENOMEM. @s is never CFG_NONE. */
	int (*take)(struct reading *r, const struct cfg_setting *s);
};

/* The rows; NULL after the last. */
const struct key *cfg_taken_at(size_t i);
/* NULL when the table has no such key. */
const struct key *cfg_taken_find(const char *name);

/* Judges type and builder, which are taken before all others. */
int cfg_take_kind(struct reading *r, const struct cfg_setting *s);
/* Rows of the table, as key.take. */
int cfg_take_disk(struct reading *r, const struct cfg_setting *s);
int cfg_take_vif(struct reading *r, const struct cfg_setting *s);
int cfg_take_vfb(struct reading *r, const struct cfg_setting *s);

#endif
