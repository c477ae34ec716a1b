/* SPDX-License-Identifier: MIT */
/*
 * arrival.h - what the store of this host knows of a domain that comes from another one: whether it
 * may come, that it is coming, and what became of it. Source: docs/store-paths.md, decision 30.
 */
#ifndef XM_ARRIVAL_H
#define XM_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "saved_head.h"
#include "store.h"

#define ARRIVAL_WHY 400

/*
 * Whether this host has what the domain needs: a CPU with @features (as /host/hw_caps; "": any),
 * its disks, its bridges. 0; -ENODEV with @why.
 */
int arrival_check(struct xs_handle *xs, const struct saved_head *head, const char *features,
		  char why[ARRIVAL_WHY]);

/*
 * Makes the record of a domain that arrives under @epoch by the channel at @path, and has it
 * started. 0; -errno with @why: its name or uuid is somebody else's here.
 */
int arrival_begin(struct xs_handle *xs, const struct saved_head *head, const char *epoch,
		  const char *path, char why[ARRIVAL_WHY]);

/*
 * The end of @epoch: *@runs: it is this host's domain; else it never will be, which is on the disk
 * on return. Whoever still waits under that epoch gets nothing. 0 or -errno: not known.
 */
int arrival_end(struct xs_handle *xs, const char *epoch, bool *runs);

/* The old host has forgotten it: so may this. */
int arrival_forget(struct xs_handle *xs, const char *epoch);

#endif
