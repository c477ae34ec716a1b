/* SPDX-License-Identifier: MIT */
/*
 * access.h - who is let in, and from which pages: the peer's user or the token; names of this
 * machine only, so that no foreign page reaches it by a name of its own (DNS rebinding) or by a
 * form (CSRF).
 */
#ifndef STOREVISOR_HTTPD_ACCESS_H
#define STOREVISOR_HTTPD_ACCESS_H

#include <stdbool.h>

struct conn;
struct httpd;

/* Reads the token of @file. 0, or -errno; *@why is what is wrong with it: others may read it. */
int access_token(struct httpd *srv, const char *file, const char **why);
/* USER or @GROUP, by name or number. -ENOENT: there is none. */
int access_allow(struct httpd *srv, const char *who);
/* Whether the peer of a unix socket may come, whatever it asks for; else it was answered. */
bool access_peer(struct conn *c);
/* Whether the request of @c is let in; else it was answered. */
bool access_check(struct conn *c);

#endif
