/* SPDX-License-Identifier: MIT */
/* snapshot_name.h - what a snapshot may be called, so that no name is that of something else. */
#ifndef XENSTORED_SNAPSHOT_NAME_H
#define XENSTORED_SNAPSHOT_NAME_H

#include <stdbool.h>

#define SNAPSHOT_NAME_BUF 65

/*
 * The name (domain 0's, any text) as the worker knows it, in @out: without ".mdb" at the end, at
 * most 64 letters, digits, "-" and "_". False: it can name none.
 */
bool snapshot_name(const char *name, char out[SNAPSHOT_NAME_BUF]);

#endif
