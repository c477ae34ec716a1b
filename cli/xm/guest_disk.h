/* SPDX-License-Identifier: MIT */
/*
 * guest_disk.h - runs guest-disk, the program beside xm that makes guests' disks, and passes on
 * what it says.
 * What it takes and prints: cli/xm/guest-disk.
 */
#ifndef XM_GUEST_DISK_H
#define XM_GUEST_DISK_H

#include "disk_spec.h"
#include "xm.h"

struct guest_disk {
	const char *const *words; /* verb, then its words; NULL-terminated */
	const char *input;	  /* its standard input, less than a pipe holds; NULL: empty */
	bool quiet;		  /* its notes are not shown */
	char path[DISK_PATH_MAX + 1]; /* set: the disk it has made; "" when it said of none */
	bool took;		      /* set: which was there before */
};

/*
 * Runs it to its end. A signal that would end xm ends it first, and what it made goes with it. 0; 1
 * after saying why it failed; CLI_INTERRUPTED after saying so.
 */
int guest_disk_run(struct xm *xm, struct guest_disk *d);

#endif
