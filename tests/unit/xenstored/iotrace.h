/* SPDX-License-Identifier: MIT */
/*
 * iotrace.h - what xenstored_traced leaves behind: every change it makes to files below STATE, in
 * order, with the bytes. The test adds its own marks to the same file, so that "acknowledged
 * before this write" can be told. The environment steers it:
 *   XS_IO_TRACE=FILE        record to FILE
 *   XS_IO_FAIL=N:KIND[:all] the Nth file operation fails (all: and every later one) with KIND: an
 *                           errno as a number, 0 for a write that takes only a part, or -9 for
 *                           the process's end in place of it
 *   XS_IO_HANG=FILE         while FILE is there, no operation on a file of STATE returns; while
 *                           FILE.sync is, none that waits for the disk. FILE.held gets the pid of
 *                           each process that is in one
 *   XS_IO_COUNT=FILE        at every operation, FILE (8 bytes) holds how many there have been
 */
#ifndef IOTRACE_H
#define IOTRACE_H

#include <stdint.h>

enum io_op {
	IO_WRITE = 1,	/* data at offset; dsync: on the disk when it returned */
	IO_SYNC,	/* of the file, or of the directory at path */
	IO_TRUNCATE,	/* offset: new length */
	IO_CREATE,
	IO_RENAME,	/* data: the new path */
	IO_LINK,	/* data: the new path */
	IO_UNLINK,
	IO_MKDIR,
	IO_SENT,	/* the test's: offset is the number of a change about to be asked for */
	IO_ACKED,	/* the test's: ... that has been acknowledged */
};

struct io_event {
	uint32_t op;
	uint32_t dsync;
	uint64_t offset;
	uint32_t path_len;
	uint32_t data_len;
	/* path and data follow */
};

#endif
