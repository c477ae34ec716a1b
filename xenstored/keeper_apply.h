/* SPDX-License-Identifier: MIT */
/*
 * keeper_apply.h - applies journal frames in the keeper process. Reads the journal, never writes
 * it; what has been applied is noted in each environment itself.
 */
#ifndef XENSTORED_KEEPER_APPLY_H
#define XENSTORED_KEEPER_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "keeper_priv.h"
#include "store.h"

struct child {
	struct journal *j;
	const struct keeper_config *cfg;
	int fd;
	struct store *env[2];		/* JOURNAL_RUNTIME, JOURNAL_PERSISTENT */
	uint64_t applied[2];		/* last frame in each */
	size_t pos[JOURNAL_HALVES];	/* how far persistent records were looked for */
	uint64_t pos_turn[JOURNAL_HALVES];
	uint64_t done_turn[JOURNAL_HALVES];	/* 1 + turn in which the half was applied */
	int refused;			/* what a sync failed with: see sync_or_refuse() */
	bool looking;			/* records are only looked at: see only_deletions() */
	bool saw_put;
	struct buf out;			/* stream of records, written in large pieces */
	int stream;
};

/* What is done from here on is with environment @env: see mapped.h. */
void keeper_is_at(unsigned int env);

/* Number of the last frame that environment @env has; 0: none. */
uint64_t get_applied(struct child *c, unsigned int env);

/* The half with older frames. */
unsigned int older_half(struct child *c);

/* All persistent records of frames up to @upto in one synced commit: 0, or why it failed. */
int sync_persistent(struct child *c, uint64_t upto);

/* The same; what only deletes gets through when the disk or the map is full (rule C14). */
int sync_or_use_reserve(struct child *c, uint64_t upto);

/* Puts the file aside that is given up then. */
void reserve_take(struct child *c);

/* All runtime records of @half in one commit, the last one of each key. 0 or -Exxx. */
int apply_half(struct child *c, unsigned int half);

#endif
