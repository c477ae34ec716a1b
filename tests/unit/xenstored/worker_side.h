/* SPDX-License-Identifier: MIT */
/*
 * worker_side.h - the daemon's side of a worker: the test keeps the queue as the daemon would, and
 * talks to the process. One at a time.
 */
#ifndef WORKER_SIDE_H
#define WORKER_SIDE_H

#include "disk_kit.h"

#include <lmdb.h>
#include <sys/types.h>

#include "storage/worker.h"

extern struct side {
	struct kit k;
	char live[150];
	MDB_env *env;
	MDB_dbi queue;
	struct worker_config cfg;
	int fd;
	pid_t pid;
	uint64_t rev;
	struct {
		struct worker_msg msg;
		char data[WORKER_PACKET];
	} got;
	size_t got_len;		/* of the payload */
} side;

/*
 * A store with nothing in it, an empty queue, and a worker; the end of all of them, which is
 * orderly.
 */
void side_init(void);
void side_fini(void);
/* A worker for what is there; its end once the daemon is gone. */
void worker_up(void);
void worker_gone(void);
/* The worker has nothing to do, and says nevertheless that it could. */
void side_begin(void);
/* side_init(), side_begin(), and queue_large(@nr) below /config, which is on the disk by then. */
void side_begin_large(unsigned int nr);

/* The next message, in side.got; its operation. */
enum worker_op side_next(void);
void side_expect(enum worker_op op);
void side_say(enum worker_op op, uint32_t id, const char *text, size_t len);
/* It tells that everything up to @rev is on the disk. */
void await_durable(uint64_t rev);

/*
 * One live commit: the changes (kit_change(), between spaces) as the next revision, into the queue.
 */
uint64_t queue_rev(const char *text);
/* @nr revisions of a node with 3,000 bytes each. */
void queue_large(unsigned int nr);
void queue_empty(void);

/* What is on the disk, when no worker is there. */
void side_assert_disk(const char *nodes);

#endif
