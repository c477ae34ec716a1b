/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - what every operation did, for those who asked: CONTROL monitor, access log, trace.
 *
 * Lines gather in a bounded buffer for each monitoring client, which takes them by CONTROL
 * monitor: nothing unasked is ever sent (D8). What does not fit is counted and dropped, so that
 * watching never slows the store. Nothing here affects a request.
 */
#ifndef XENSTORED_MONITOR_H
#define XENSTORED_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct req;
struct server;

/* Whether anybody wants operations reported: check before spending time on it. */
bool monitor_active(const struct server *srv);
/* Reports a finished request: errno value @err (0: good) after @took_ns. */
void monitor_report(struct server *srv, const struct req *r, int err, uint64_t took_ns);
/* Begins to gather lines for @c. 0, -ENOSPC (user.h) or -ENOMEM. */
int monitor_start(struct server *srv, struct conn *c);
/* Takes whole lines gathered for @c, at most @room bytes. 0, or -ENOENT: not started. */
int monitor_take(struct server *srv, struct conn *c, char *out, size_t room, size_t *len);
void monitor_forget(struct server *srv, struct conn *c);

/* Opens, reopens or closes (NULL) the file that gets every operation. 0 or -Exxx. */
int trace_open(struct server *srv, const char *path);
/* The same with an open descriptor, which is taken over unless that fails. */
int trace_to(struct server *srv, int fd);

#endif
