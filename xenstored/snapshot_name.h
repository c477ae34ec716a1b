/* SPDX-License-Identifier: MIT */
/* snapshot_name.h - what a snapshot may be called, so that no name is that of something else. */
#ifndef XENSTORED_SNAPSHOT_NAME_H
#define XENSTORED_SNAPSHOT_NAME_H

#include <stdbool.h>

/* The one that is meant when none is named. */
#define SNAPSHOT_NAME "snapshot.mdb"

/*
 * Whether @name (domain 0's, any text) may name a snapshot: at most 60 letters, digits and "._-",
 * the first one a letter or digit, ".mdb" at the end. @make: it is to be written; those the daemon
 * makes by itself are then not for the asking.
 */
bool snapshot_name_ok(const char *name, bool make);

#endif
