/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - gives up what the daemon does not need once it has opened everything.
 * Afterwards: another user, no capabilities, no new privileges, and only the listed system calls.
 */
#ifndef XENSTORED_SANDBOX_H
#define XENSTORED_SANDBOX_H

#include <sys/types.h>

/* Hands the directory @dir and the files in it to the user. 0 or -errno. */
int sandbox_own_dir(const char *dir, uid_t uid, gid_t gid);

/*
 * Becomes @uid:@gid (not root's) for good, unless it is @uid already, and installs the filter. 0 or
 * -errno: then nothing may go on.
 */
int sandbox_enter(uid_t uid, gid_t gid);

#endif
