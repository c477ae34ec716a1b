/* SPDX-License-Identifier: MIT */
/* given_socket.h - listening sockets that the service manager has opened for us (sd_listen_fds). */
#ifndef STOREVISOR_GIVEN_SOCKET_H
#define STOREVISOR_GIVEN_SOCKET_H

/*
 * A listening descriptor for the local socket @path, when $LISTEN_FDS has one bound to that very
 * path: the caller's to close; closed by execve. The manager's own stays open, for a program that
 * is executed in this one's place. -ENOENT: none was given; -Exxx of dup. Source: sd_listen_fds(3).
 */
int given_socket(const char *path);

#endif
