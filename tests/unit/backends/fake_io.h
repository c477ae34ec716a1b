/* SPDX-License-Identifier: MIT */
/*
 * fake_io.h - block I/O in place of blk_io.c that does what the test says when the test says so.
 *
 * Operations are carried out on the real file, each at the moment it is let go. By default that is
 * as soon as it is started; with fake_io.slow it is when the test calls fake_io_end().
 */
#ifndef TESTS_FAKE_IO_H
#define TESTS_FAKE_IO_H

#include "blk_io.h"

struct fake_io {
	bool slow;
	unsigned int most;	     /* the most operations out at once so far */
	unsigned int nr;	     /* out now */
	struct blk_io_op out[BLK_IO_DEPTH]; /* in the order they were started */
	unsigned int cut;	     /* the next transfer moves only so many bytes; 0: all */
	int fail;		     /* the next operation ends with this; 0: none */
	bool silent;		     /* who waits hears nothing */
	bool refuse_start;	     /* blk_io_start() has no room */
};

extern struct fake_io fake_io;

/* Lets operation @i of fake_io.out end; the engine learns of it at its next reap. */
void fake_io_end(unsigned int i);

#endif
