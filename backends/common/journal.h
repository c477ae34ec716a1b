/* SPDX-License-Identifier: MIT */
/*
 * journal.h - what one device process leaves behind for its successor, and the proof it is alive.
 *
 * One small file on tmpfs a device. It holds the connection's identity and the response records
 * of its rings; extra room behind the page belongs to the device (the console keeps its scrollback
 * there). A write lock on it is held for the life of the process: the kernel drops it with the
 * process, so there is no pid file to go stale, and the lock tells a supervisor the owner's pid.
 */
#ifndef BACKENDS_JOURNAL_H
#define BACKENDS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bring.h"

#define JOURNAL_QUEUES 4 /* that one device may have; a queue has one ring, or one each way */
#define JOURNAL_RINGS (2 * JOURNAL_QUEUES)
#define JOURNAL_HEAD 8192 /* bytes before the device's own room */

struct journal_page {
	uint32_t magic;
	uint32_t open; /* 1 between attach and detach of the rings below */
	uint32_t nr_queues;
	uint32_t nr_rings; /* of each queue; 0: a journal of before queues, which did not say it */
	uint32_t refs[JOURNAL_RINGS];
	uint32_t port[JOURNAL_QUEUES]; /* the frontend's event channels */
	struct rsp_record ring[JOURNAL_RINGS];
	int32_t server; /* the last process that worked on this connection; for backendd */
};

struct journal {
	int fd;
	size_t len; /* bytes mapped at page */
	struct journal_page *page;
	bool fresh; /* the file did not exist or was not ours: nothing to resume from */
};

/* Directory of the journals: $STOREVISOR_BACKEND_DIR or /run/xen/backend. */
const char *journal_dir(void);

/* Makes that directory and those above it. 0 or -errno. */
int journal_dir_make(void);

/* Builds the journal's file name of device @type/@domid/@devid. Returns 0 or -ENAMETOOLONG. */
int journal_name(char *buf, size_t len, const char *type, unsigned int domid, unsigned int devid);

/* Builds the name of the file beside journal @name that blk_log.h uses. 0 or -ENAMETOOLONG. */
int journal_log_name(char *buf, size_t len, const char *name);

/* The same of the FIFO that input_pipe.h uses. */
int journal_input_name(char *buf, size_t len, const char *name);

/* Removes journal @name and what is beside it. */
void journal_remove(const char *name);

/* How the names of other files there begin that may outlive their users: locks of blk_nbd.c. */
#define JOURNAL_LOCK "nbd-"

/* Removes the directory, unless a journal is left in it: then a device's process goes on. */
void journal_dir_remove(void);

/*
 * Opens or makes the file, takes its lock and maps JOURNAL_HEAD + @extra bytes.
 * Returns 0; -EBUSY when another process serves this device; -errno of the file system.
 */
int journal_open(struct journal *j, const char *name, size_t extra);

/* Unmaps and unlocks. The file stays; the supervisor removes it once the device is gone. */
void journal_close(struct journal *j);

/* The pid that @name says served its frontend last, 0: none, or there is no such file. */
pid_t journal_server(const char *name);

/* The pid of the process holding the lock of @name, 0 when nobody does, -errno. */
pid_t journal_owner(const char *name);

#endif
