/* SPDX-License-Identifier: MIT */
/*
 * claim.h - what a daemon takes by name is taken from nobody who lives: sockets and the pid file.
 *
 * A claim is a record lock: it ends with the process, whatever ends it, and no child inherits it.
 * The directories have locks of their own (persist.c).
 */
#ifndef XENSTORED_CLAIM_H
#define XENSTORED_CLAIM_H

#include <stdbool.h>

/*
 * Claims the socket @path by a lock on PATH.lock, before the name is used; waits up to 3 s for the
 * end of a daemon that is going down. @ours: this process listens on it already, from before it
 * executed this program. Says why when it fails. Returns a descriptor that holds the
 * claim until it is closed; -EBUSY when another process has it or answers on the socket, -EEXIST
 * when something else than a socket is there, other -Exxx.
 */
int claim_socket(const char *path, bool ours);

/*
 * Claims and writes the pid file @path, as claim_socket(); the file is not touched unless it is
 * ours. The descriptor is to stay open: it holds the claim.
 */
int claim_pid_file(const char *path);

#endif
