/* SPDX-License-Identifier: MIT */
/*
 * disk_log.h - the second copy of what data.mdb got since the last generations.
 *
 * STATE/store/log-REV has the changes behind revision REV, one frame for each commit, written
 * behind it. The file and its beginning are synced, the frames are not: they are there for a file
 * that rots, not for a loss of power, after which LMDB's own commits count. A frame that is not
 * whole ends what is believed of its file. Private to storage/.
 */
#ifndef XENSTORED_DISK_LOG_H
#define XENSTORED_DISK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk_env.h"
#include "numbered.h"

extern const struct numbered disk_log_name;

struct disk_log {
	int fd;			/* -1: none */
	uint64_t base, size;	/* revision it begins behind; bytes */
	unsigned char *frame;	/* the commit under way */
	size_t frame_len, frame_cap;
	bool failed;		/* it lacks a commit: only a new generation makes up for it */
};

/* Which store the log @path says it is of. False: it does not, or is none that is whole. */
bool disk_log_id(const char *path, unsigned char id[DISK_ID]);

/*
 * In all that follows @id is the store's (all 0: that is not known); a log that says that it is of
 * another one is as if it were not there.
 *
 * Begins STATE-STORE/log-@base. One of that name that has changes is put aside: nobody has read
 * them, or they are not behind what this begins with. 0; -ENOSPC, -EIO: there is none, and
 * @l->failed says so.
 */
int disk_log_start(struct disk_log *l, const char *store_dir, uint64_t base,
		   const unsigned char id[DISK_ID]);
/*
 * Takes the end mark from the newest log there is: changes are to come that no log will have. 0, or
 * -Exxx: it may be there still.
 */
int disk_log_goes_on(const char *store_dir, const unsigned char id[DISK_ID]);
/* @orderly: marks the end, so that a reader knows that nothing is missing behind it. */
void disk_log_end(struct disk_log *l, bool orderly);

/* Notes one change of the commit under way: the value of the queue. 0 or -ENOMEM. */
int disk_log_note(struct disk_log *l, uint64_t rev, uint32_t index, const void *value, size_t len);
/* The commit is on the disk: the frame is written; or it is not: it is forgotten. */
void disk_log_commit(struct disk_log *l);
void disk_log_abort(struct disk_log *l);

/* The newest log's revision: there was a state of that revision. 0: none. As disk_log_replay(). */
int disk_log_newest(const char *store_dir, const unsigned char id[DISK_ID], uint64_t *base);

/*
 * Calls @each for every change of all logs of @store_dir, oldest first, with what was noted, and
 * which commit it is of; stops at the first answer that is not 0, which is returned. *@ended: the
 * newest log has its end mark, and no log has a broken frame. 0, -ENOMEM, -EIO.
 */
struct logged {
	uint64_t commit;	/* counted from 1 over all logs */
	uint64_t rev;
	uint32_t index;
	const void *value;
	size_t len;
};
typedef int disk_each_change(void *arg, const struct logged *c);
int disk_log_replay(const char *store_dir, const unsigned char id[DISK_ID], disk_each_change *each,
		    void *arg, bool *ended);

/* Removes the logs that have nothing behind revision @rev, if @may_go says so of their path. */
void disk_log_thin_out(const char *store_dir, uint64_t rev,
		       bool (*may_go)(void *arg, const char *path), void *arg);

#endif
