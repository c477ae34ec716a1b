/* SPDX-License-Identifier: MIT */
/*
 * worker.h - the process that makes persistent changes durable, and what it and the daemon say to
 * each other over a SOCK_SEQPACKET pair: a struct worker_msg, then its payload.
 *
 * The worker waits for the lock of STATE/store, opens what is whole there, and applies the queue of
 * the live environment, which it reads as a second LMDB process, behind what it has applied: as
 * many revisions as have gathered in one synced commit. The daemon never waits for it: it writes
 * one small message when there is something new (or none: EAGAIN means that one is still unread),
 * and reads what has come.
 *
 * When the daemon dies the worker finishes the queue as the last live commit left it, and ends. A
 * daemon that dies and comes back starts another one, which waits for the lock of this one.
 */
#ifndef XENSTORED_WORKER_H
#define XENSTORED_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "disk.h"

/* Largest packet: the header and its payload. */
#define WORKER_PACKET (60u * 1024u)

enum worker_op {
	/* The daemon asks. */
	WORKER_QUEUED,		/* there is more in the queue */
	WORKER_LOAD,		/* send the nodes, with all that is queued; first message, when the
				 * daemon has none, and again after a LOADED with err */
	WORKER_LOST_KNOWN,	/* id; the administrator knows what was lost. Answered as ASK */
	WORKER_ASK,		/* id; payload: a question (below). Answered by WORKER_ANSWERs */
	WORKER_ROOM,		/* a: bytes that one change lacks room for, or 0. Answered by a ROOM
				 * with the room there is then, whether that is enough or not */
	/* The worker tells. */
	WORKER_READY,		/* rev: applied; found, err of the start. First message of all */
	WORKER_NODE,		/* payload: records, see below; parents first */
	WORKER_LOST,		/* payload: a record of a name that was lost, see below */
	WORKER_LOADED,		/* err 0: all nodes and lost names have been sent, as of rev; else
				 * why not: what is queued is refused, or the disk cannot be read */
	WORKER_DURABLE,		/* rev: all up to it is on the disk; room. Once in any case when it
				 * is sure that the disk takes changes */
	/*
	 * rev: applied; err: why what is behind it is not: -ENOSPC, -EIO, -EROFS: tried again by
	 * itself; -ESTALE: changes are missing before the queue's first; -EBADMSG: the queue is
	 * damaged at revision a (0: data.mdb is, and is found again). After these two the daemon
	 * empties the queue and puts a RESET and all nodes into it; one that has no nodes yet gives
	 * up what is behind the gap.
	 */
	WORKER_REFUSED,
	WORKER_ANSWER,		/* id; payload: a part of the answer; with err (0: good) the last */
};

struct worker_msg {
	uint32_t op;		/* enum worker_op */
	int32_t err;		/* 0 or -Exxx; of ANSWER: 1 when more follows */
	uint32_t id;		/* of ASK, LOST_KNOWN and ANSWER: the asker's */
	uint32_t flags;		/* of READY: WORKER_FOUND_*; of DURABLE, too: WORKER_DEGRADED */
	uint64_t rev;
	uint64_t a;
	struct disk_room room;	/* of READY, DURABLE, REFUSED, ROOM */
};

#define WORKER_FOUND_NEW	1u
#define WORKER_FOUND_TAKEN_OVER 2u
#define WORKER_FOUND_DAMAGE	4u
#define WORKER_DEGRADED		8u

/*
 * Payload of NODE: one or more records, each u32 length of what follows (the machine's byte order,
 * as all here: both ends run on it), u16 path length, the path, and the node's value with checksum
 * for database WORKER_NODE_DB and key path_key(path) (stored_node.h).
 * Payload of LOST: a struct disk_lost without the pointer's meaning, then the path.
 */
#define WORKER_NODE_DB 'n'

/*
 * Questions: words that end with NUL, as CONTROL's. What answers them is a process of its own:
 * the queue goes on. Answers are records of xs_past.h, to be handed on to the client as they are,
 * or text lines where it says so.
 *
 *	log PATH [REV[.INDEX]]		what changed at or below it, before that change, newest
 *					first; 10,000 changes or 4 MiB and the rest of their
 *					revision at most, and no more than 15 MiB
 *	at REV PATH			the node as it was at that revision
 *	tree REV PATH			the same with all below it, parents first
 *	diff REV PATH			what has to be put and removed now to be as it was then
 *	snapshot NAME			makes one: whole and verified when it is answered
 *	snapshots			text: a line each, "NAME BYTES REVISION TIME"
 *	snapshot-verify NAME
 *	snapshot-remove NAME
 *	snapshot-read NAME		verifies it, then all of its nodes, parents first
 *	generations			text: a line each, as snapshots
 *	lost				text: a line each, "WHAT REVISION TIME PATH"; WHAT: "lost",
 *					"older" (brought back from that revision), "unknown" (all
 *					behind it), "stale" (data.mdb was an old one, of it)
 *
 * Of a revision that is not known any more the answer is one record XS_PAST_LIMIT; a later one than
 * all is what there is now. Errors (err of the last ANSWER): -ENOENT; -E2BIG: more than 16 MiB of
 * it; -EBUSY; -EEXIST; -EBADMSG: damaged; -EINVAL: no such question, name or path; -ENOSPC, -EIO.
 */

struct worker_config {
	struct disk_config disk;
	const char *live_dir;	/* directory of the live environment */
};

/*
 * Starts one. The daemon's end of the pair in *@fd, non-blocking; its pid, or -Exxx. All other
 * descriptors of the daemon are closed in it.
 */
pid_t worker_start(const struct worker_config *cfg, int *fd);

/* The worker itself: never returns. @fd: its end of the pair. */
_Noreturn void worker_main(const struct worker_config *cfg, int fd);

#endif
