/* SPDX-License-Identifier: MIT */
/*
 * conn_socket.h - local sockets as a transport, and the sockets that accept them.
 * The socket's mode says who may connect; people.h what a client may do, at most what domain 0 may.
 */
#ifndef XENSTORED_CONN_SOCKET_H
#define XENSTORED_CONN_SOCKET_H

#include <stdbool.h>

struct server;
struct listener;

/*
 * Listens on @path (made with mode @mode, replacing a stale one and nobody's that lives: claim.h),
 * or on the one the service manager has given us (given_socket.h), or on the inherited descriptor
 * @fd when it is not -1. NULL with the reason logged.
 */
struct listener *listener_open(struct server *srv, const char *path, unsigned int mode,
			       bool read_only, int fd);
/* Accepts again after a pause for want of descriptors. @l may be NULL. */
void listener_resume(struct listener *l);
int listener_fd(const struct listener *l);
/* Whether the service manager has opened it, and keeps the name. */
bool listener_is_given(const struct listener *l);
/* @unlink_path: the daemon ends for good. A socket that was given to us stays its giver's. */
void listener_close(struct listener *l, bool unlink_path);

/* Serves a connected socket (tests, and what listeners accept). 0 or -ENOMEM. */
int conn_socket_create(struct server *srv, int fd, bool read_only);

#endif
