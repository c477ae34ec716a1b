/* SPDX-License-Identifier: MIT */
/*
 * check.h - verifies every invariant of the state in memory: links, indexes, quota counts by
 * recount. For CONTROL check and for the end of every test. Changes nothing.
 */
#ifndef XENSTORED_CHECK_H
#define XENSTORED_CHECK_H

#include "buf.h"

struct server;

/* Appends one line a fault to @out. Returns the number of faults. */
unsigned int check_all(struct server *srv, struct buf *out);
/* The same for what the disk says of itself: it refuses changes, or something there was lost. */
unsigned int check_disk(const struct server *srv, struct buf *out);

#endif
