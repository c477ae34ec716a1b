/* SPDX-License-Identifier: MIT */
/*
 * confine.h - gives up every right a device process does not need while it serves a guest.
 *
 * After it: another uid without capabilities, no new privileges, and an allow-list of system
 * calls with no open, socket, exec or fork in it. Descriptors already open are all there is.
 */
#ifndef BACKENDS_CONFINE_H
#define BACKENDS_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

/* Who device processes are, unless told otherwise: a user that owns nothing and is nobody else. */
#define CONFINE_USER "xenbackend"

/*
 * Switches to @user (a name, or UID[:GID] with UID not 0) and loads the filter in every thread.
 * Returns 0; -ENOENT: no such user; -errno. On failure the caller must not serve the guest.
 */
int confine(const char *user);

/*
 * What a kind of device needs besides: system calls, -1 after the last, ioctls, 0 after it, and
 * setsockopt for TCP_NODELAY.
 */
struct confine_more {
	const int *calls;
	const unsigned int *ioctls;
	bool nodelay;
};

/* The same, with @more (NULL: nothing). */
int confine_with(const char *user, const struct confine_more *more);
/* Who @user is (a name, or UID[:GID]). 0 or -ENOENT: nobody, or root. */
int confine_find_user(const char *user, uid_t *uid, gid_t *gid);

#endif
