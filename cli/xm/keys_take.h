/* SPDX-License-Identifier: MIT */
/*
 * keys_take.h - the keys that are acted on: one function a key, from a setting to the record. For
 * keys.c only.
 */
#ifndef XM_KEYS_TAKE_H
#define XM_KEYS_TAKE_H

#include "cfg.h"
#include "record.h"

/* What the keys of one file leave behind until all are read. */
struct reading {
	struct record *rec;
	struct cfg_error *err;
	char *root, *extra;
};

struct key {
	const char *name;
	/* 0; -EINVAL or -ENOTSUP after writing r->err; -ENOMEM. @s is never CFG_NONE. */
	int (*take)(struct reading *r, const struct cfg_setting *s);
};

/* The rows; NULL after the last. */
const struct key *keys_taken_at(size_t i);

#endif
