/* SPDX-License-Identifier: MIT */
/* disk_start.h - a start under way; shared by disk_start.c and disk_later.c. */
#ifndef XENSTORED_DISK_START_H
#define XENSTORED_DISK_START_H

#include <stdbool.h>
#include <stdint.h>

#include "disk_priv.h"

enum source {
	FROM_NOTHING,		/* there never was anything */
	FROM_DATA,
	FROM_NEWER,		/* a generation: data.mdb is whole, and older than that */
	FROM_OLD_FORMAT,
	FROM_OLD_COPY,		/* of that format, and older than what there was */
	FROM_GENERATION,
	FROM_RUINS,		/* there was, and no file is whole */
};

struct start {
	struct disk *d;
	char to[DISK_PATH];	/* the copy that is being made */
	enum source source;
	bool synced;
	uint64_t time_ns;
	unsigned char id[DISK_ID];	/* of the copy: which store this is */
	uint64_t applied;	/* of the copy, with what the logs had */
	uint64_t known;		/* that there was something up to this revision */
	uint64_t found;		/* of data.mdb, where that is whole */
	uint64_t missed;	/* commits that the logs have behind it */
	bool no_newer;		/* no generation that is newer is whole */
	bool no_memory;		/* a file may be whole for all that is known */
	bool log_ended;		/* the logs say that there is nothing behind them */
};

/*
 * The largest number that a generation has, in *@newest; of logs, too, in s->known. As
 * numbered_each().
 */
int disk_start_names(struct start *s, uint64_t *newest);

/*
 * disk_id.c: puts generations aside that are newer than revision @than, and logs, of another store
 * than s->id (all 0: that is not known), of which there is a number here, but nothing else.
 */
void disk_start_foreign(struct start *s, uint64_t than);
/* The same of logs alone. */
void disk_start_foreign_logs(struct start *s);
/*
 * Gives the copy @e, with an open write transaction, the id that the store has had, or a new one.
 */
int disk_start_give_id(struct start *s, struct disk_env *e);

/*
 * Puts on top of the copy s->to what the logs have behind it, and says what is lost. 0; -ESTALE:
 * there is a generation that is newer, and !s->no_newer; or as disk_env_commit().
 */
int disk_start_complete(struct start *s);

#endif
