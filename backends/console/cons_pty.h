/* SPDX-License-Identifier: MIT */
/*
 * cons_pty.h - the terminal `xm console` opens, and whether somebody has it open.
 *
 * We hold the master only. While no slave is open the kernel reports a hang-up on it; inotify on
 * the slave's node tells when somebody comes, so that nothing has to be polled.
 */
#ifndef BACKENDS_CONS_PTY_H
#define BACKENDS_CONS_PTY_H

#include <stdbool.h>

struct cons_pty {
	int master;
	int inotify; /* readable when the slave was opened or closed */
	char slave[64];
};

/* Makes a raw pty. Returns 0 or -errno. */
int cons_pty_open(struct cons_pty *pty);
void cons_pty_close(struct cons_pty *pty);

/* Is a slave open right now? Also empties the inotify queue. */
bool cons_pty_attached(struct cons_pty *pty);

#endif
