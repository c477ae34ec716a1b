/* SPDX-License-Identifier: MIT */
/*
 * disk.h - the durable copy of the persistent part: what a start finds, and what it can lose.
 *
 * STATE/store/ has data.mdb (format 3: nodes, what each change replaced, the revisions, what was
 * lost), the changes since the last generations in log-REV, and generations/: earlier whole
 * copies. Any one of these files may be damaged in any way without a change being lost; of more,
 * what is whole is kept and the rest named. A file that may be damaged is only ever read in a
 * child process, and never written again: each start goes on with a copy of what was whole.
 *
 * All this runs in the worker (worker.h), never in the daemon's loop. Paths, values, permissions
 * are what clients wrote; sizes and revisions are checked when they are read.
 */
#ifndef XENSTORED_DISK_H
#define XENSTORED_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct change;
struct disk;
struct stored_node;

struct disk_config {
	const char *state_dir;	/* STATE: has store/ and snapshots/, made when missing */
	const char *run_dir;	/* where a copy may be made when STATE cannot be written */
	uint64_t map_size;	/* largest size of data.mdb, bytes; 0: 1 GiB */
	uint64_t history_bytes;	/* of what changes have replaced, at most; 0: 64 MiB */
	uint64_t history_ns;	/* and not older than this; 0: 90 days */
	/*
	 * The last revision somebody was told is durable, as far as the caller knows; 0: nothing.
	 */
	uint64_t told;
};

/* Why a name is in the list of what was lost. */
enum disk_loss {
	DISK_LOST = 1,		/* gone: no copy of it was whole */
	DISK_BROUGHT_BACK = 2,	/* an older state has taken its place, of revision rev */
	DISK_UNKNOWN = 3,	/* all behind revision rev, if there was anything, is gone */
	DISK_STALE = 4,		/* data.mdb was found to be of revision rev; others made up for it */
};

struct disk_lost {
	uint64_t rev, time_ns;	/* time_ns: when it was found */
	const char *path;	/* canonical, path_len bytes */
	uint16_t path_len;
	uint8_t loss;		/* enum disk_loss */
};

/* How a start went. */
struct disk_found {
	uint64_t applied;	/* all persistent changes up to this revision are there */
	bool made_new;		/* there was nothing */
	bool taken_over;	/* from the format of an earlier release */
	bool damaged;		/* a file was, and has been put aside; the log says which */
	bool degraded;		/* names are in the list of what was lost, now or from earlier */
	int read_only;		/* 0, or why no change can be taken: -EROFS, -ENOSPC, -EIO, -EACCES */
};

/* The file that is being written, or the copy that is read instead. */
const char *disk_path(const struct disk *d);
/* 0, or why no change can be taken. */
int disk_read_only(const struct disk *d);
bool disk_degraded(const struct disk *d);
uint64_t disk_map_size(const struct disk *d);

/*
 * Finds the newest whole state in STATE/store and opens a copy of it for writing. Call with the
 * lock held (disk_lock()). Takes as long as reading and writing the whole file. 0 with @out;
 * -EUCLEAN: there is something, and none of it can be used or put aside; -EPROTONOSUPPORT: written
 * by a later release; -ENOMEM, -EIO, -ENOSPC: not even a copy in RUN could be made.
 */
int disk_open(const struct disk_config *cfg, struct disk **out, struct disk_found *found);
/*
 * Finds it once more, after an error behind which nothing that the disk was told is sure to be
 * there. As disk_open(); after an error no change can be taken, and this can be tried again.
 */
int disk_reopen(struct disk *d, struct disk_found *found);
/* @orderly: nothing is to come; makes the log say so. */
void disk_close(struct disk *d, bool orderly);

/*
 * Whether the file that is open is still the one that has the name. If not, somebody has removed or
 * replaced it, and what is written there no start will find: disk_reopen().
 */
bool disk_has_name(const struct disk *d);

/* Waits until nobody else has STATE/store. A descriptor that keeps it, or -Exxx. */
int disk_lock(const char *state_dir);

/*
 * All nodes, in the order in which they were made: parents first, children in their order. Stops
 * at the first answer of @each that is not 0, which is returned. -EBADMSG, -ENOMEM, -EIO.
 */
typedef int disk_each_node(void *arg, const struct stored_node *n);
int disk_nodes(struct disk *d, disk_each_node *each, void *arg);

/* What was lost and nobody has said yet that he knows. As disk_nodes(). */
typedef int disk_each_lost(void *arg, const struct disk_lost *l);
int disk_lost(struct disk *d, disk_each_lost *each, void *arg);
/*
 * He knows: the list is empty, and what is from before the loss is thinned out again. 0 or -Exxx.
 */
int disk_lost_known(struct disk *d);

/* --- changes: any number of revisions in one synced commit --- */

int disk_begin(struct disk *d);
/* The same; what is replaced is not kept: there is no room for it. */
int disk_begin_lean(struct disk *d);
/*
 * Number @index of revision @rev, in order. What has been applied already is passed over. -ESTALE:
 * changes are missing before it (c->prev is not the last one applied; a RESET needs none); -EINVAL:
 * out of order; -ENOSPC, -EIO, -EBADMSG (damage), -ENOMEM. After an error, disk_abort().
 */
int disk_change(struct disk *d, uint64_t rev, uint32_t index, const struct change *c);
/*
 * Everything is on the disk when it answers 0. -ENOSPC, -EIO, -EROFS: nothing is, and after -EIO
 * the environment is to be opened anew.
 */
int disk_commit(struct disk *d);
void disk_abort(struct disk *d);
/*
 * Nothing is to be done at the moment: gives back the memory of a large commit, which LMDB keeps for
 * the next one as long as the environment is open. 0; -EIO: it is to be opened anew.
 */
int disk_rest(struct disk *d);
uint64_t disk_applied(const struct disk *d);

/* --- room, known before a change is accepted --- */

struct disk_room {
	uint64_t free_bytes;	/* of data.mdb: allocated, and in use for nothing */
	uint64_t tree_bytes;	/* of the nodes and the history: no commit copies more than this */
};

/* Allocates ahead, giving old history up for it when the disk is full. What there is then. */
void disk_room(struct disk *d, struct disk_room *out);
/*
 * The same for a change that needs @bytes of it: they are allocated if the disk has twice as much.
 */
void disk_room_for(struct disk *d, uint64_t bytes, struct disk_room *out);
/*
 * What @nr nodes that are put or removed, with @bytes of paths, permissions and values as they are
 * and as they become, may need in one commit. When that
 * of all that is queued is at most room.free_bytes, none of it will be refused for want of room.
 */
uint64_t disk_need(const struct disk_room *room, uint64_t nr, uint64_t bytes);

/* --- generations: earlier whole states, kept by a table of how many of which age --- */

/* Begins to write one in a process of its own, if it is time to and one is not being written. */
void disk_generation(struct disk *d, uint64_t now_ns);
/* Process @pid has ended with @status: true if it was writing a generation. */
bool disk_generation_ended(struct disk *d, int pid, int status);

/* --- room of the disk that is not needed any more --- */

/*
 * When nothing has changed for a minute and data.mdb has twice the room it needs: begins to write
 * it anew, in a process of its own.
 */
void disk_compact(struct disk *d, uint64_t now_ns);
/*
 * Process @pid has ended with @status: true if it was that. *@result: 0, data.mdb is the new one,
 * or the old one as it was; -EIO: it cannot be opened, disk_reopen(). With no transaction open.
 */
bool disk_compact_ended(struct disk *d, int pid, int status, int *result);

#endif
