/* SPDX-License-Identifier: MIT */
/* listen.h - the one socket that xs-httpd listens on: of this machine only. */
#ifndef STOREVISOR_HTTPD_LISTEN_H
#define STOREVISOR_HTTPD_LISTEN_H

#include <stdint.h>

struct httpd;

/*
 * A unix socket at @path, open to every user of the host: who they are is looked at later. One that
 * the service manager gave, or a former one's place, is taken. Returns the descriptor or -errno.
 */
int listen_unix(const char *path);
/* A port of 127.0.0.1; 0: any. *@port is what it became. The descriptor or -errno. */
int listen_port(uint16_t *port);
/* Accepts from @fd, which listens, from here on. 0 or -ENOMEM. */
int listen_begin(struct httpd *srv, int fd);

#endif
